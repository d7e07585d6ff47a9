import { Check, Column, Entity, JoinColumn, OneToOne, PrimaryColumn } from 'typeorm';
import type { OwnStatus } from '../contract/presence.js';
import { UserEntity } from '../users/user.entity.js';

/**
 * What a user chose to show, and when they were last there. No row: nothing chosen, never seen. A choice that is over
 * is not written back: whoever reads the row takes the former one.
 */
@Entity('presence_settings')
@Check('presence_settings_status', `status IN ('online', 'away', 'busy', 'invisible')`)
@Check('presence_settings_former', `(until IS NULL) = (former_status IS NULL)`)
export class PresenceSettingEntity {
  @PrimaryColumn({ name: 'user_id', type: 'text', primaryKeyConstraintName: 'presence_settings_pkey' })
  userId!: string;

  @OneToOne(() => UserEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'presence_settings_user' })
  user!: UserEntity;

  @Column({ type: 'text', default: 'online' })
  status!: OwnStatus;

  @Column({ type: 'text', nullable: true })
  text!: string | null;

  @Column({ type: 'timestamptz', nullable: true })
  until!: Date | null;

  /** What comes back after `until`: the choice before, and of several with an end the one before the first. */
  @Column({ name: 'former_status', type: 'text', nullable: true })
  formerStatus!: OwnStatus | null;

  @Column({ name: 'former_text', type: 'text', nullable: true })
  formerText!: string | null;

  /** Counts the choices: of two the higher one is the newer one. */
  @Column({ type: 'integer', default: 0 })
  version!: number;

  @Column({ name: 'last_seen_at', type: 'timestamptz', nullable: true })
  lastSeenAt!: Date | null;
}

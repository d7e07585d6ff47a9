import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { RestrictionKind } from '../contract/moderation.js';
import { UserEntity } from '../users/user.entity.js';

/** The scope of what holds in every room. No room id looks like it. */
export const EVERYWHERE = '*';

/** A mute or a ban, in one room or everywhere. It counts until `until`, or until it is lifted. */
@Entity('restrictions')
@Index('restrictions_scope', ['scope', 'userId', 'kind'])
@Check('restrictions_kind', `kind IN ('mute', 'ban')`)
export class RestrictionEntity {
  @PrimaryColumn({ name: 'user_id', type: 'text', primaryKeyConstraintName: 'restrictions_pkey' })
  userId!: string;

  /** The id of a room, or `*`. */
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'restrictions_pkey' })
  scope!: string;

  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'restrictions_pkey' })
  kind!: RestrictionKind;

  @ManyToOne(() => UserEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'restrictions_user' })
  user!: UserEntity;

  /** Milliseconds, as a client gives them. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  until!: Date | null;

  @Column({ type: 'text' })
  reason!: string;

  @Column({ name: 'created_by', type: 'text' })
  createdBy!: string;

  /** As they were called then. */
  @Column({ name: 'created_by_name', type: 'text' })
  createdByName!: string;

  /** By an administrator of the installation: the people of the room leave it as it is. */
  @Column({ name: 'by_administrator', type: 'boolean' })
  byAdministrator!: boolean;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'clock_timestamp()' })
  createdAt!: Date;
}

import { Column, Entity, JoinColumn, OneToOne, PrimaryColumn } from 'typeorm';
import { UserEntity } from '../users/user.entity.js';

/** Where a user wants the digest of what stays unseen. */
@Entity('email_addresses')
export class EmailAddressEntity {
  @PrimaryColumn({ name: 'user_id', type: 'text', primaryKeyConstraintName: 'email_addresses_pkey' })
  userId!: string;

  @OneToOne(() => UserEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'email_addresses_user' })
  user!: UserEntity;

  @Column({ type: 'text' })
  address!: string;

  /** When the confirmation was asked for; its link is of this moment, in milliseconds. */
  @Column({ name: 'requested_at', type: 'timestamptz', precision: 3 })
  requestedAt!: Date;

  /** Null: nobody has said yet that it is theirs. */
  @Column({ name: 'confirmed_at', type: 'timestamptz', precision: 3, nullable: true })
  confirmedAt!: Date | null;

  /** What happened until then was told. */
  @Column({ name: 'last_digest_at', type: 'timestamptz', precision: 3, nullable: true })
  lastDigestAt!: Date | null;
}

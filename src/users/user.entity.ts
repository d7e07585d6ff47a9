import { Check, Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';
import type { UserRole } from '../contract/views.js';

/** A person who can sign in: a local account, or one that came with a token of another issuer. */
@Entity('users')
@Unique('users_username_key', ['usernameKey'])
@Check('users_role', `role IN ('user', 'admin')`)
// On lower(name), which decorators cannot say: the migration makes it, `synchronize: false` keeps it out of the drift check.
@Index('users_name_prefix', { synchronize: false })
export class UserEntity {
  /** UUIDv7 of a local account, else the `sub` of the token. */
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'users_pkey' })
  id!: string;

  /** As the person writes it. */
  @Column({ type: 'text' })
  username!: string;

  /** Lower case: two people never differ by case alone. Collation C, so that the unique index also serves prefixes and pages. */
  @Column({ name: 'username_key', type: 'text', collation: 'C' })
  usernameKey!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ name: 'avatar_url', type: 'text', nullable: true })
  avatarUrl!: string | null;

  @Column({ type: 'text', default: 'user' })
  role!: UserRole;

  /** The last token of another issuer said a role: theirs to say, not ours. */
  @Column({ name: 'role_by_issuer', type: 'boolean', default: false })
  roleByIssuer!: boolean;

  /** Argon2id; null: cannot sign in here, comes with tokens of another issuer. */
  @Column({ name: 'password_hash', type: 'text', nullable: true, select: false })
  passwordHash!: string | null;

  /** Tokens without a session that were issued before are refused. */
  @Column({ name: 'tokens_valid_after', type: 'timestamptz', nullable: true })
  tokensValidAfter!: Date | null;

  @Column({ name: 'suspended_at', type: 'timestamptz', nullable: true })
  suspendedAt!: Date | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;
}

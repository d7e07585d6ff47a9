import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** One act of an administrator or moderator. The database refuses UPDATE and DELETE. No foreign keys: it outlives what it tells of. */
@Entity('audit_log')
@Index('audit_log_at', ['at', 'id'])
@Index('audit_log_actor', ['actorId', 'at', 'id'])
@Index('audit_log_target', ['targetId', 'at', 'id'])
export class AuditEntryEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'audit_log_pkey' })
  id!: string;

  /** By the clock of the database. */
  @Column({ type: 'timestamptz', precision: 3, default: () => 'clock_timestamp()' })
  at!: Date;

  /** null: the system. */
  @Column({ name: 'actor_id', type: 'text', nullable: true })
  actorId!: string | null;

  /** As they were called then. */
  @Column({ name: 'actor_name', type: 'text', nullable: true })
  actorName!: string | null;

  @Column({ type: 'text' })
  act!: string;

  @Column({ name: 'target_type', type: 'text' })
  targetType!: string;

  @Column({ name: 'target_id', type: 'text' })
  targetId!: string;

  @Column({ name: 'room_id', type: 'text', nullable: true })
  roomId!: string | null;

  @Column({ type: 'text', nullable: true })
  reason!: string | null;

  @Column({ name: 'request_id', type: 'text', nullable: true })
  requestId!: string | null;

  @Column({ type: 'json', nullable: true })
  before!: object | null;

  @Column({ type: 'json', nullable: true })
  after!: object | null;
}

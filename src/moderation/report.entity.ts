import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { ReportStatus } from '../contract/moderation.js';

/** That a moderator should look at a message, and what came of it. No foreign keys: it outlives what it tells of. */
@Entity('reports')
@Check('reports_status', `status IN ('open', 'resolved', 'dismissed')`)
@Index('reports_status_id', ['status', 'id'])
@Index('reports_room', ['roomId', 'id'])
@Index('reports_open_by_person', ['messageId', 'reportedBy'], { unique: true, where: `(status = 'open')` })
@Index('reports_open_by_rule', ['messageId', 'ruleId'], { unique: true, where: `(status = 'open')` })
export class ReportEntity {
  /** UUIDv7: the order of the queue. */
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'reports_pkey' })
  id!: string;

  @Column({ name: 'message_id', type: 'uuid' })
  messageId!: string;

  @Column({ name: 'room_id', type: 'text' })
  roomId!: string;

  @Column({ name: 'sender_id', type: 'text' })
  senderId!: string;

  /** As it was when it was reported. */
  @Column({ type: 'text' })
  content!: string;

  @Column({ type: 'text' })
  reason!: string;

  /** null: a filter rule. */
  @Column({ name: 'reported_by', type: 'text', nullable: true })
  reportedBy!: string | null;

  /** As they were called then. */
  @Column({ name: 'reported_by_name', type: 'text', nullable: true })
  reportedByName!: string | null;

  @Column({ name: 'rule_id', type: 'uuid', nullable: true })
  ruleId!: string | null;

  @Column({ type: 'text', default: 'open' })
  status!: ReportStatus;

  @Column({ name: 'closed_by', type: 'text', nullable: true })
  closedBy!: string | null;

  @Column({ name: 'closed_by_name', type: 'text', nullable: true })
  closedByName!: string | null;

  @Column({ name: 'closed_at', type: 'timestamptz', nullable: true })
  closedAt!: Date | null;

  @Column({ type: 'text', nullable: true })
  note!: string | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'clock_timestamp()' })
  createdAt!: Date;
}

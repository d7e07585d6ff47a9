import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { DecisionReason, NotificationCause } from '../contract/notifications.js';

/**
 * Why somebody whom a message concerns was, or was not, told of it. Decided once: the key is the message and the user.
 * Without foreign keys, like `messages`: what it names was read in the transaction that writes it.
 */
@Entity('notification_decisions')
@Index('notification_decisions_notification', ['notificationId'], { where: '(notification_id IS NOT NULL)' })
export class NotificationDecisionEntity {
  @PrimaryColumn({
    name: 'message_id',
    type: 'uuid',
    primaryKeyConstraintName: 'notification_decisions_pkey',
  })
  messageId!: string;

  @PrimaryColumn({ name: 'user_id', type: 'text', primaryKeyConstraintName: 'notification_decisions_pkey' })
  userId!: string;

  @Column({ type: 'text' })
  cause!: NotificationCause;

  @Column({ type: 'text' })
  reason!: DecisionReason;

  /** Where it was told; all null when it was not. */
  @Column({ name: 'in_app', type: 'boolean', nullable: true })
  inApp!: boolean | null;

  @Column({ type: 'boolean', nullable: true })
  push!: boolean | null;

  @Column({ type: 'boolean', nullable: true })
  email!: boolean | null;

  /** Null again when the message was deleted. */
  @Column({ name: 'notification_id', type: 'uuid', nullable: true })
  notificationId!: string | null;

  @Column({ name: 'decided_at', type: 'timestamptz', precision: 3 })
  decidedAt!: Date;
}

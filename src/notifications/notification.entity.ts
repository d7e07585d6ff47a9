import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { NotificationKind } from '../contract/notifications.js';
import { NotificationInboxEntity } from './notification-inbox.entity.js';

/** One entry of an inbox: something that happened once, or several times in a row. */
@Entity('notifications')
@Index('notifications_list', ['userId', 'createdAt', 'id'], { where: '(archived_at IS NULL)' })
@Index('notifications_archived', ['userId', 'createdAt', 'id'], { where: '(archived_at IS NOT NULL)' })
@Index('notifications_unread', ['userId', 'grownVersion'], { where: '(read_at IS NULL)' })
@Index('notifications_growing', ['userId', 'roomId', 'updatedAt'], { where: '(read_at IS NULL)' })
@Index('notifications_room', ['userId', 'roomId', 'seq'], {
  where: '((read_at IS NULL) AND (thread_id IS NULL))',
})
export class NotificationEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'notifications_pkey' })
  id!: string;

  @Column({ name: 'user_id', type: 'text' })
  userId!: string;

  @ManyToOne(() => NotificationInboxEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'notifications_inbox' })
  inbox!: NotificationInboxEntity;

  @Column({ type: 'text' })
  kind!: NotificationKind;

  @Column({ type: 'text' })
  title!: string;

  @Column({ type: 'text' })
  body!: string;

  @Column({ name: 'room_id', type: 'text', nullable: true })
  roomId!: string | null;

  /** The newest message it tells of, and that message's `seq`. */
  @Column({ name: 'message_id', type: 'uuid', nullable: true })
  messageId!: string | null;

  @Column({ type: 'integer', nullable: true })
  seq!: number | null;

  @Column({ name: 'thread_id', type: 'uuid', nullable: true })
  threadId!: string | null;

  @Column({ name: 'actor_id', type: 'text', nullable: true })
  actorId!: string | null;

  @Column({ type: 'text', nullable: true })
  url!: string | null;

  @Column({ type: 'integer' })
  count!: number;

  @Column({ type: 'boolean' })
  silent!: boolean;

  /** The inbox's version with which it came, or last grew. */
  @Column({ name: 'grown_version', type: 'integer' })
  grownVersion!: number;

  /** Milliseconds, as a cursor and a client carry them. */
  @Column({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', precision: 3 })
  updatedAt!: Date;

  @Column({ name: 'read_at', type: 'timestamptz', precision: 3, nullable: true })
  readAt!: Date | null;

  /** Whatever is archived is read too. */
  @Column({ name: 'archived_at', type: 'timestamptz', precision: 3, nullable: true })
  archivedAt!: Date | null;
}

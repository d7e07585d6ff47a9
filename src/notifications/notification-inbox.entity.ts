import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { NotificationChannels, NotificationKind, QuietHours } from '../contract/notifications.js';
import { UserEntity } from '../users/user.entity.js';

/** What a user has set for each kind; what is left out is as by default. */
export type KindSettings = Partial<Record<NotificationKind, Partial<NotificationChannels>>>;

/** The inbox of a user as a whole. The row is the inbox's lock: whoever changes anything in it holds it `FOR UPDATE`. */
@Entity('notification_inboxes')
export class NotificationInboxEntity {
  @PrimaryColumn({ name: 'user_id', type: 'text', primaryKeyConstraintName: 'notification_inboxes_pkey' })
  userId!: string;

  @ManyToOne(() => UserEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'notification_inboxes_user' })
  user!: UserEntity;

  /** Grows with every change of the inbox. */
  @Column({ type: 'integer', default: 0 })
  version!: number;

  /** What came or grew up to this version has been seen. */
  @Column({ name: 'seen_version', type: 'integer', default: 0 })
  seenVersion!: number;

  /** Announcements up to this serial have been seen. */
  @Column({ name: 'seen_announcement', type: 'bigint', default: 0 })
  seenAnnouncement!: number;

  /** Every announcement up to here is read: a bound for counting, the times are in `announcement_states`. */
  @Column({ name: 'announcements_read_until', type: 'timestamptz', precision: 3, nullable: true })
  announcementsReadUntil!: Date | null;

  @Column({ type: 'json', nullable: true })
  kinds!: KindSettings | null;

  @Column({ name: 'quiet_hours', type: 'json', nullable: true })
  quietHours!: QuietHours | null;
}

import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { AnnouncementEntity } from './announcement.entity.js';
import { NotificationInboxEntity } from './notification-inbox.entity.js';

/** What a user has done with an announcement; there is none before they do something. */
@Entity('announcement_states')
export class AnnouncementStateEntity {
  @PrimaryColumn({ name: 'user_id', type: 'text', primaryKeyConstraintName: 'announcement_states_pkey' })
  userId!: string;

  @PrimaryColumn({
    name: 'announcement_id',
    type: 'uuid',
    primaryKeyConstraintName: 'announcement_states_pkey',
  })
  announcementId!: string;

  @ManyToOne(() => NotificationInboxEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'announcement_states_inbox' })
  inbox!: NotificationInboxEntity;

  @ManyToOne(() => AnnouncementEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'announcement_id', foreignKeyConstraintName: 'announcement_states_announcement' })
  announcement!: AnnouncementEntity;

  @Column({ name: 'read_at', type: 'timestamptz', precision: 3 })
  readAt!: Date;

  @Column({ name: 'archived_at', type: 'timestamptz', precision: 3, nullable: true })
  archivedAt!: Date | null;
}

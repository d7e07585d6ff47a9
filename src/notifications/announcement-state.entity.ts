import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { NotificationInboxEntity } from './notification-inbox.entity.js';

/**
 * What a user has done with an announcement; there is none before they do something. Without a foreign key: an announcement
 * goes in one row, and what everybody did with it goes later, in many small steps.
 */
@Entity('announcement_states')
@Index('announcement_states_announcement', ['announcementId'])
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

  @Column({ name: 'read_at', type: 'timestamptz', precision: 3 })
  readAt!: Date;

  @Column({ name: 'archived_at', type: 'timestamptz', precision: 3, nullable: true })
  archivedAt!: Date | null;
}

import { Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';

/** What an administrator says to everybody: one row, however many inboxes show it. */
@Entity('announcements')
@Unique('announcements_serial', ['serial'])
@Index('announcements_list', ['createdAt', 'id'])
export class AnnouncementEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'announcements_pkey' })
  id!: string;

  /** Grows in the order in which they become visible. */
  @Column({ type: 'bigint', generated: 'identity', generatedIdentity: 'ALWAYS' })
  serial!: number;

  @Column({ type: 'text' })
  title!: string;

  @Column({ type: 'text' })
  body!: string;

  @Column({ name: 'from_id', type: 'text' })
  fromId!: string;

  @Column({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt!: Date;
}

import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { AnnouncementEntity } from './announcement.entity.js';

/** Any number, as long as nothing else locks it. */
const ANNOUNCING_LOCK = 7_215_003;

/** Announcements a user sees, with what they did with each. */
const SEEN_BY = `
  FROM announcements a
  JOIN users u ON u.id = $1 AND u.created_at <= a.created_at
  LEFT JOIN announcement_states s ON s.user_id = u.id AND s.announcement_id = a.id`;

/** The tables `announcements` and `announcement_states`. */
@Injectable()
export class AnnouncementsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** One after the other: whoever sees one sees all with a smaller serial and an earlier time. */
  async insert(
    { manager }: Transaction,
    row: Pick<AnnouncementEntity, 'id' | 'title' | 'body' | 'fromId' | 'fromName'>,
  ): Promise<AnnouncementEntity> {
    await manager.query('SELECT pg_advisory_xact_lock($1)', [ANNOUNCING_LOCK]);
    const [inserted] = await manager.query<{ serial: number; createdAt: Date }[]>(
      `INSERT INTO announcements (id, title, body, from_id, from_name, created_at)
       VALUES ($1, $2, $3, $4, $5, clock_timestamp()) RETURNING serial, created_at AS "createdAt"`,
      [row.id, row.title, row.body, row.fromId, row.fromName],
    );
    if (!inserted) throw new Error('The announcement did not come back');
    return { ...row, ...inserted };
  }

  /** Until the transaction ends none can come that is older than its clock. */
  async enterToReadAll({ manager }: Transaction): Promise<void> {
    await manager.query('SELECT pg_advisory_xact_lock_shared($1)', [ANNOUNCING_LOCK]);
  }

  find(id: string): Promise<AnnouncementEntity | null> {
    return this.dataSource.manager.findOneBy(AnnouncementEntity, { id });
  }

  /** Of the unread ones among these, or of all; which they were. The inbox is locked. */
  async read(
    { manager }: Transaction,
    userId: string,
    ids: readonly string[] | undefined,
    readAt: Date,
  ): Promise<string[]> {
    const rows = await manager.query<{ id: string }[]>(
      `INSERT INTO announcement_states (user_id, announcement_id, read_at)
       SELECT u.id, a.id, $3 ${SEEN_BY}
         LEFT JOIN notification_inboxes i ON i.user_id = u.id
        WHERE s.read_at IS NULL
          AND CASE WHEN $2::uuid[] IS NULL
                   THEN a.created_at > coalesce(i.announcements_read_until, '-infinity') ELSE a.id = ANY($2) END
       RETURNING announcement_id AS id`,
      [userId, ids ?? null, readAt],
    );
    return rows.map(({ id }) => id);
  }

  async archive(
    { manager }: Transaction,
    userId: string,
    ids: readonly string[],
    at: Date,
  ): Promise<string[]> {
    const rows = await manager.query<{ id: string }[]>(
      `INSERT INTO announcement_states (user_id, announcement_id, read_at, archived_at)
       SELECT u.id, a.id, $3, $3 ${SEEN_BY} WHERE a.id = ANY($2::uuid[]) AND s.archived_at IS NULL
       ON CONFLICT (user_id, announcement_id) DO UPDATE SET archived_at = excluded.archived_at
       RETURNING announcement_id AS id`,
      [userId, ids, at],
    );
    return rows.map(({ id }) => id);
  }

  /** Active users who were there when it was made, by id after a key. */
  async audience({ createdAt }: AnnouncementEntity, after: string, limit: number): Promise<string[]> {
    const rows = await this.dataSource.query<{ id: string }[]>(
      `SELECT id FROM users WHERE id > $1 AND created_at <= $2 AND suspended_at IS NULL ORDER BY id LIMIT $3`,
      [after, createdAt, limit],
    );
    return rows.map(({ id }) => id);
  }
}

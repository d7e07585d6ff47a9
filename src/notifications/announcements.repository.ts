import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ADVISORY_LOCKS } from '../platform/database/advisory-locks.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { AnnouncementEntity } from './announcement.entity.js';
import type { Sender } from './notification.view.js';

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
    row: Pick<AnnouncementEntity, 'id' | 'title' | 'body' | 'fromId'>,
  ): Promise<AnnouncementEntity & Sender> {
    await manager.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.announcing]);
    const [inserted] = await manager.query<(Pick<AnnouncementEntity, 'serial' | 'createdAt'> & Sender)[]>(
      `WITH a AS (INSERT INTO announcements (id, title, body, from_id, created_at)
                  VALUES ($1, $2, $3, $4, clock_timestamp()) RETURNING serial, created_at, from_id)
       SELECT a.serial, a.created_at AS "createdAt", u.name AS "fromName", u.avatar_url AS "fromAvatarUrl"
         FROM a JOIN users u ON u.id = a.from_id`,
      [row.id, row.title, row.body, row.fromId],
    );
    if (!inserted) throw new Error('The announcement did not come back');
    return { ...row, ...inserted };
  }

  /** Until the transaction ends none can come that is older than its clock. */
  async enterToReadAll({ manager }: Transaction): Promise<void> {
    await manager.query('SELECT pg_advisory_xact_lock_shared($1)', [ADVISORY_LOCKS.announcing]);
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
}

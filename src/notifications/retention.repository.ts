import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Transaction } from '../platform/database/unit-of-work.js';

/**
 * What is too old to be kept, a chunk at a time. Messages, notifications and announcements have ids that begin with their
 * time, so the keys there are lead to the oldest.
 */
@Injectable()
export class RetentionRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Notifications that came, and last grew, before then. */
  oldNotifications(before: Date, limit: number): Promise<{ id: string; userId: string }[]> {
    return this.dataSource.query(
      `SELECT id, user_id AS "userId" FROM notifications WHERE id < $1 AND updated_at < $2 ORDER BY id LIMIT $3`,
      [firstIdOf(before), before, limit],
    );
  }

  /** Those of them that are still there and have not grown. The inboxes are locked. */
  async removeNotifications(
    { manager }: Transaction,
    ids: readonly string[],
    before: Date,
  ): Promise<{ id: string; userId: string }[]> {
    const [rows] = await manager.query<[{ id: string; userId: string }[], number]>(
      `DELETE FROM notifications WHERE id = ANY($1::uuid[]) AND updated_at < $2 RETURNING id, user_id AS "userId"`,
      [ids, before],
    );
    return rows;
  }

  /** Decisions on messages from before then; how many. */
  async removeDecisions({ manager }: Transaction, before: Date, limit: number): Promise<number> {
    const [, removed] = await manager.query<[unknown[], number]>(
      `DELETE FROM notification_decisions d
        USING (SELECT message_id, user_id FROM notification_decisions WHERE message_id < $1
                ORDER BY message_id LIMIT $2 FOR UPDATE SKIP LOCKED) old
        WHERE d.message_id = old.message_id AND d.user_id = old.user_id`,
      [firstIdOf(before), limit],
    );
    return removed;
  }

  /** Announcements from before then, but for the newest: the versions of counts begin with its serial. */
  async removeAnnouncements({ manager }: Transaction, before: Date): Promise<string[]> {
    const [rows] = await manager.query<[{ id: string }[], number]>(
      `DELETE FROM announcements WHERE created_at < $1 AND serial < (SELECT max(serial) FROM announcements)
       RETURNING id`,
      [before],
    );
    return rows.map(({ id }) => id);
  }

  /** What users did with announcements that are gone; how many. */
  async removeAnnouncementStates({ manager }: Transaction, before: Date, limit: number): Promise<number> {
    const [, removed] = await manager.query<[unknown[], number]>(
      `DELETE FROM announcement_states s
        USING (SELECT o.user_id, o.announcement_id FROM announcement_states o
                WHERE o.announcement_id < $1 AND NOT EXISTS (SELECT FROM announcements a WHERE a.id = o.announcement_id)
                ORDER BY o.announcement_id LIMIT $2 FOR UPDATE SKIP LOCKED) old
        WHERE s.user_id = old.user_id AND s.announcement_id = old.announcement_id`,
      [firstIdOf(before), limit],
    );
    return removed;
  }
}

/** Every id of version 7 that was made before then is smaller. */
function firstIdOf(time: Date): string {
  const hex = Math.max(0, time.getTime()).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

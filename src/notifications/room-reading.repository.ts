import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Transaction } from '../platform/database/unit-of-work.js';

/** A room, as one user reads it. */
export interface ReadRoom {
  userId: string;
  roomId: string;
}

/**
 * Of room `m`: unread, of messages up to which its member has read. Replies in threads are not read with the room. In the
 * order of the index: else the planner may hope to come across one by reading the table.
 */
const READ_THERE = `
  SELECT n.id FROM notifications n
   WHERE n.user_id = m.user_id AND n.room_id = m.room_id AND n.read_at IS NULL AND n.thread_id IS NULL
     AND n.seq <= m.last_read_seq
   ORDER BY n.seq`;

/** What the table `notifications` has not been told of read positions. Each room costs one look into an index. */
@Injectable()
export class RoomReadingRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** All rooms of these users with something to mark. */
  behind(userIds: readonly string[]): Promise<ReadRoom[]> {
    return this.dataSource.query<ReadRoom[]>(
      `SELECT m.user_id AS "userId", m.room_id AS "roomId"
         FROM room_members m CROSS JOIN LATERAL (${READ_THERE} LIMIT 1) x WHERE m.user_id = ANY($1)`,
      [userIds],
    );
  }

  /** Those of these rooms with something to mark. */
  behindIn(rooms: readonly ReadRoom[]): Promise<ReadRoom[]> {
    return this.dataSource.query<ReadRoom[]>(
      `SELECT m.user_id AS "userId", m.room_id AS "roomId"
         FROM unnest($1::text[], $2::text[]) AS w(user_id, room_id)
         JOIN room_members m ON m.user_id = w.user_id AND m.room_id = w.room_id
        CROSS JOIN LATERAL (${READ_THERE} LIMIT 1) x`,
      columns(rooms),
    );
  }

  /** Marks at most so many; which they were. The inboxes are locked. */
  async mark(
    { manager }: Transaction,
    rooms: readonly ReadRoom[],
    readAt: Date,
    limit: number,
  ): Promise<{ id: string; userId: string }[]> {
    const [rows] = await manager.query<[{ id: string; userId: string }[], number]>(
      `UPDATE notifications t SET read_at = $3
         FROM (SELECT x.id FROM unnest($1::text[], $2::text[]) AS w(user_id, room_id)
                 JOIN room_members m ON m.user_id = w.user_id AND m.room_id = w.room_id
                CROSS JOIN LATERAL (${READ_THERE} LIMIT $4) x LIMIT $4) w
        WHERE t.id = w.id RETURNING t.id, t.user_id AS "userId"`,
      [...columns(rooms), readAt, limit],
    );
    return rows;
  }
}

const columns = (rooms: readonly ReadRoom[]) => [
  rooms.map(({ userId }) => userId),
  rooms.map(({ roomId }) => roomId),
];

import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CONTRACT_LIMITS } from '../contract/limits.js';
import type { ReadState } from '../contract/views.js';
import type { Transaction } from '../platform/database/unit-of-work.js';

interface ReadStateRow {
  room_id: string;
  user_id: string;
  last_read_seq: number;
  unread: number;
  mentions: number;
  version: number;
}

const AT_MOST = String(CONTRACT_LIMITS.unreadExact + 1);

const mentionsOf = (user: string) =>
  `SELECT x.seq FROM mentions x
    WHERE x.room_id = m.room_id AND x.user_id = ${user} AND x.seq > m.last_read_seq AND x.sender_id <> m.user_id
    ORDER BY x.seq LIMIT ${AT_MOST}`;

/** Derives unread and mention counts from the messages, each bounded by one index range. */
@Injectable()
export class ReadStatesRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Read states of (room, user) pairs; pairs without a membership are left out. */
  async find(pairs: { roomId: string; userId: string }[]): Promise<{ userId: string; state: ReadState }[]> {
    if (pairs.length === 0) return [];
    const rows = await this.dataSource.query<ReadStateRow[]>(
      `SELECT m.room_id, m.user_id, m.last_read_seq, n.unread, a.mentions, r.last_rev + m.read_version AS version
         FROM unnest($1::text[], $2::text[]) AS w(room_id, user_id)
         JOIN room_members m ON m.room_id = w.room_id AND m.user_id = w.user_id
         JOIN rooms r ON r.id = m.room_id
         -- Ordered, so that the planner walks the index from the read position and stops at the limit.
         CROSS JOIN LATERAL (
           SELECT count(*)::int AS unread FROM (
             SELECT x.seq FROM messages x
              WHERE x.room_id = m.room_id AND x.seq > m.last_read_seq AND x.sender_id <> m.user_id
                AND x.thread_id IS NULL AND x.deleted_at IS NULL
              ORDER BY x.seq LIMIT ${AT_MOST}) counted) n
         CROSS JOIN LATERAL (
           SELECT least(count(*), ${AT_MOST})::int AS mentions FROM (
             (${mentionsOf('m.user_id')}) UNION (${mentionsOf(`'@room'`)})) counted) a`,
      [pairs.map(({ roomId }) => roomId), pairs.map(({ userId }) => userId)],
    );
    return rows.map((row) => ({
      userId: row.user_id,
      state: {
        roomId: row.room_id,
        lastReadSeq: row.last_read_seq,
        unread: row.unread,
        mentions: row.mentions,
        version: row.version,
      },
    }));
  }

  /** Moves a read position forward, never above the room's head. Its new place, or nothing when it was there already. */
  async advance(
    { manager }: Transaction,
    roomId: string,
    userId: string,
    seq: number,
  ): Promise<number | undefined> {
    const [rows] = await manager.query<[{ last_read_seq: number }[], number]>(
      `UPDATE room_members m SET last_read_seq = least($3, r.last_seq), read_version = m.read_version + 1
         FROM rooms r
        WHERE r.id = m.room_id AND m.room_id = $1 AND m.user_id = $2 AND least($3, r.last_seq) > m.last_read_seq
       RETURNING m.last_read_seq`,
      [roomId, userId, seq],
    );
    return rows[0]?.last_read_seq;
  }

  /** The first 1,000 rooms of a user with something unread. */
  async roomsWithUnread(userId: string): Promise<string[]> {
    const rows = await this.dataSource.query<{ room_id: string }[]>(
      `SELECT m.room_id FROM room_members m JOIN rooms r ON r.id = m.room_id
        WHERE m.user_id = $1 AND r.last_seq > m.last_read_seq ORDER BY m.room_id LIMIT 1000`,
      [userId],
    );
    return rows.map(({ room_id }) => room_id);
  }
}

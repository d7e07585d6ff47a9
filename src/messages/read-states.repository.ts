import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CONTRACT_LIMITS } from '../contract/limits.js';
import type { ReadState } from '../contract/views.js';
import { readPrepared } from '../platform/database/transaction-at-once.js';
import type { Transaction } from '../platform/database/unit-of-work.js';

interface ReadStateRow {
  room_id: string;
  user_id: string;
  last_read_seq: number;
  unread: number;
  mentions: number;
  version: number;
}

/** How far a user says to have read a room. */
export interface ReadPosition {
  roomId: string;
  userId: string;
  seq: number;
}

/** What became of a position that was to be moved. */
export interface ReadOutcome {
  roomId: string;
  userId: string;
  /** Null when it was there already, or further. */
  movedTo: number | null;
  isLocked: boolean;
  /** Of the room. */
  memberCount: number;
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
    return this.select(
      'read-states',
      `SELECT m.* FROM unnest($1::text[], $2::text[]) AS w(room_id, user_id)
         JOIN room_members m ON m.room_id = w.room_id AND m.user_id = w.user_id`,
      [pairs.map(({ roomId }) => roomId), pairs.map(({ userId }) => userId)],
    );
  }

  /** Of a user's first 1,000 rooms with something new since they read them. */
  async ofRoomsBehind(userId: string): Promise<ReadState[]> {
    const found = await this.select(
      'rooms-behind',
      // LATERAL, so that the planner looks up their rooms one by one and does not read all there are.
      `SELECT m.* FROM room_members m
        CROSS JOIN LATERAL (SELECT x.last_seq FROM rooms x WHERE x.id = m.room_id LIMIT 1) head
        WHERE m.user_id = $1 AND head.last_seq > m.last_read_seq ORDER BY m.room_id LIMIT 1000`,
      [userId],
    );
    return found.map(({ state }) => state);
  }

  /**
   * Moves read positions forward, never above the head of the room. A membership that somebody else has locked is left
   * as it is: this waits for nobody, so no one waits for it in turn. One outcome for each of these that is a member.
   */
  advance({ manager }: Transaction, positions: ReadPosition[]): Promise<ReadOutcome[]> {
    return manager.query<ReadOutcome[]>(
      `WITH wanted AS MATERIALIZED (
         SELECT m.room_id, m.user_id, least(w.seq, r.last_seq) AS seq, r.member_count,
                least(w.seq, r.last_seq) > m.last_read_seq AS is_ahead
           FROM unnest($1::text[], $2::text[], $3::int[]) AS w(room_id, user_id, seq)
           JOIN room_members m ON m.room_id = w.room_id AND m.user_id = w.user_id
           JOIN rooms r ON r.id = m.room_id
       ), free AS MATERIALIZED (
         SELECT m.room_id, m.user_id, w.seq
           FROM wanted w JOIN room_members m ON m.room_id = w.room_id AND m.user_id = w.user_id
          WHERE w.is_ahead FOR NO KEY UPDATE OF m SKIP LOCKED
       ), moved AS (
         UPDATE room_members m SET last_read_seq = f.seq, read_version = m.read_version + 1
           FROM free f WHERE m.room_id = f.room_id AND m.user_id = f.user_id AND f.seq > m.last_read_seq
         RETURNING m.room_id, m.user_id, m.last_read_seq
       )
       SELECT w.room_id AS "roomId", w.user_id AS "userId", w.member_count AS "memberCount",
              moved.last_read_seq AS "movedTo", w.is_ahead AND f.user_id IS NULL AS "isLocked"
         FROM wanted w
         LEFT JOIN free f ON f.room_id = w.room_id AND f.user_id = w.user_id
         LEFT JOIN moved ON moved.room_id = w.room_id AND moved.user_id = w.user_id`,
      [
        positions.map(({ roomId }) => roomId),
        positions.map(({ userId }) => userId),
        positions.map(({ seq }) => seq),
      ],
    );
  }

  private async select(
    name: string,
    memberships: string,
    values: unknown[],
  ): Promise<{ userId: string; state: ReadState }[]> {
    const rows = await readPrepared<ReadStateRow>(this.dataSource, {
      name,
      text: `SELECT m.room_id, m.user_id, m.last_read_seq, n.unread, a.mentions, r.last_rev + m.read_version AS version
         FROM (${memberships}) m
        CROSS JOIN LATERAL (SELECT x.last_rev FROM rooms x WHERE x.id = m.room_id LIMIT 1) r
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
      values,
    });
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
}

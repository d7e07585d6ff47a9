import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Message, RoomType } from '../contract/views.js';
import { readPrepared } from '../platform/database/transaction-at-once.js';
import { messageRows } from './message-rows.repository.js';
import { messageView, type MessageRow } from './message.view.js';

/** A page of a room, and how its reader stood to the room at the very moment it was read. */
export interface RoomPage {
  room: { type: RoomType; lastRev: number; minRev: number };
  /** The page of who is no member is empty. */
  isMember: boolean;
  messages: Message[];
}

/** Of a timeline: so many messages right below one `seq`, and so many right above another. */
export interface HistoryWindow {
  below: number;
  older: number;
  above: number;
  newer: number;
}

type PageRow = { room_type: RoomType; last_rev: number; min_rev: number; is_member: boolean } & (
  MessageRow | { id: null }
);

/**
 * The pages of a room, each with the question whether the reader may see it: one statement, so one snapshot. Each walks
 * one index from the position asked for, and costs the same in a room of a million messages as in a small one.
 */
@Injectable()
export class RoomPagesRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Oldest first; `undefined` when there is no such room. */
  history(
    userId: string,
    roomId: string,
    threadId: string | undefined,
    { below, older, above, newer }: HistoryWindow,
  ): Promise<RoomPage | undefined> {
    const timeline = `FROM messages x
       WHERE x.room_id = $1 AND reader.is_member AND x.seq > reader.history_from_seq
         AND ${threadId === undefined ? 'x.thread_id IS NULL' : 'x.thread_id = $7'}`;
    return this.read(
      threadId === undefined ? 'room-history' : 'thread-history',
      `SELECT * FROM (SELECT x.* ${timeline} AND x.seq < $3 ORDER BY x.seq DESC LIMIT $4) older
       UNION ALL
       SELECT * FROM (SELECT x.* ${timeline} AND x.seq > $5 ORDER BY x.seq LIMIT $6) newer`,
      'seq',
      [roomId, userId, below, older, above, newer, ...(threadId === undefined ? [] : [threadId])],
    );
  }

  /**
   * The change log after a position, thread replies included. Ends with the message that passes `bytes`, counted by
   * content and data alone: the rest would be read to be thrown away. Empty below `min_rev`, where it has gaps.
   */
  changes(
    userId: string,
    roomId: string,
    since: number,
    { limit, bytes }: { limit: number; bytes: number },
  ): Promise<RoomPage | undefined> {
    return this.read(
      'room-changes',
      `SELECT * FROM (
         SELECT c.*, sum(c.size) OVER (ORDER BY c.rev) - c.size AS before FROM (
           SELECT x.*, octet_length(x.content) + coalesce(octet_length(x.data::text), 0) AS size
             FROM messages x
            WHERE x.room_id = $1 AND x.rev > $3 AND reader.is_member AND reader.min_rev <= $3
              -- A sum, so that no planner takes the index by seq and reads the whole room to sort it by rev.
              AND x.seq + 0 > reader.history_from_seq
            ORDER BY x.rev LIMIT $4) c) sized
        WHERE sized.before <= $5`,
      'rev',
      [roomId, userId, since, limit, bytes],
    );
  }

  /** `page` sees the `reader`, and must read nothing unless they are a member. */
  private async read(
    name: string,
    page: string,
    order: 'seq' | 'rev',
    values: unknown[],
  ): Promise<RoomPage | undefined> {
    const rows = await readPrepared<PageRow>(this.dataSource, {
      name,
      text: `SELECT reader.*, message.*
         FROM (SELECT r.type AS room_type, r.last_rev, r.min_rev, me.user_id IS NOT NULL AS is_member,
                      coalesce(me.history_from_seq, 0) AS history_from_seq
                 FROM rooms r LEFT JOIN room_members me ON me.room_id = r.id AND me.user_id = $2
                WHERE r.id = $1) reader
         LEFT JOIN LATERAL (${messageRows(`(${page})`)}) message ON true
        ORDER BY message.${order}`,
      values,
    });
    const [first] = rows;
    if (!first) return undefined;
    return {
      room: { type: first.room_type, lastRev: first.last_rev, minRev: first.min_rev },
      isMember: first.is_member,
      messages: rows.flatMap((row) => (row.id === null ? [] : messageView(row))),
    };
  }
}

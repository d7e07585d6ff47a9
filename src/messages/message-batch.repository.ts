import { Injectable } from '@nestjs/common';
import type { MemberRole, RoomHistory, RoomType } from '../contract/views.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import type { MessageChange } from './message-change.js';
import {
  pairKey,
  reactionKey,
  type FirstSend,
  type LedgerState,
  type MemberState,
  type RoomState,
  type TargetState,
} from './batch-state.js';
import type { MessageLedger } from './message-ledger.js';

export interface LockedRooms {
  /** Of the transaction: tells what became of it when the connection is lost during COMMIT. */
  xid: string;
  now: Date;
  rooms: Map<string, RoomState>;
}

/** A batch waits this long for a room that somebody else has locked; meanwhile the other rooms of its lane wait too. */
const LOCK_WAIT = '500ms';

/** Reads and writes a batch of changes of any size with the same few statements, each for all rows. */
@Injectable()
export class MessageBatchRepository {
  /**
   * Takes the rooms' locks in id order. A separate statement before anything is read: the reads after it see
   * what was committed while it waited, such as a kick. Fails with 55P03 when a room stays locked.
   */
  async lockRooms({ manager }: Transaction, roomIds: string[]): Promise<LockedRooms> {
    const rows = await manager.query<
      {
        id: string;
        type: RoomType;
        history: RoomHistory;
        last_seq: number;
        last_rev: number;
        slow_mode_seconds: number;
        archived: boolean;
        frozen: boolean;
      }[]
    >(
      // LATERAL: the limit is set before the first lock is asked for, in the same round trip.
      `SELECT r.*
         FROM (SELECT set_config('lock_timeout', $2, true) AS value) lock_timeout,
              LATERAL (SELECT id, type, history, last_seq, last_rev, slow_mode_seconds,
                              archived_at IS NOT NULL AS archived, frozen_at IS NOT NULL AS frozen
                         FROM rooms WHERE id = ANY($1) AND lock_timeout.value IS NOT NULL ORDER BY id FOR UPDATE) r`,
      [roomIds, LOCK_WAIT],
    );
    const [clock] = await manager.query<{ now: Date; xid: string }[]>(
      `SELECT clock_timestamp() AS now, pg_current_xact_id()::text AS xid`,
    );
    if (!clock) throw new Error('The database did not tell the time');
    const rooms = rows.map((row): [string, RoomState] => [
      row.id,
      {
        id: row.id,
        type: row.type,
        history: row.history,
        lastSeq: row.last_seq,
        lastRev: row.last_rev,
        slowModeSeconds: row.slow_mode_seconds,
        archived: row.archived,
        frozen: row.frozen,
      },
    ]);
    return { xid: clock.xid, now: clock.now, rooms: new Map(rooms) };
  }

  async readState(tx: Transaction, locked: LockedRooms, changes: MessageChange[]): Promise<LedgerState> {
    return {
      now: locked.now,
      rooms: locked.rooms,
      members: await this.members(tx, changes),
      targets: await this.targets(tx, changes),
      firstSends: await this.firstSends(tx, changes),
      reactions: await this.reactions(tx, changes),
    };
  }

  async write(
    tx: Transaction,
    rooms: Map<string, RoomState>,
    ledger: MessageLedger,
    now: Date,
  ): Promise<void> {
    await this.insertMessages(tx, ledger);
    await this.updateMessages(tx, ledger);
    await this.writeReactions(tx, ledger, now);
    await this.moveSenders(tx, ledger, now);
    const moved = [...rooms.values()];
    await tx.manager.query(
      `UPDATE rooms r SET last_seq = u.seq, last_rev = u.rev
         FROM unnest($1::text[], $2::int[], $3::int[]) AS u(id, seq, rev) WHERE r.id = u.id AND r.last_rev <> u.rev`,
      [moved.map(({ id }) => id), moved.map(({ lastSeq }) => lastSeq), moved.map(({ lastRev }) => lastRev)],
    );
  }

  /** Members who came after a message in a room that shows newcomers nothing older: they do not get its changes. */
  async newcomersAfter(tx: Transaction, roomId: string, seq: number): Promise<string[]> {
    const rows = await tx.manager.query<{ user_id: string }[]>(
      `SELECT user_id FROM room_members WHERE room_id = $1 AND history_from_seq >= $2`,
      [roomId, seq],
    );
    return rows.map(({ user_id }) => user_id);
  }

  async lockedAmong({ manager }: Transaction, roomIds: string[]): Promise<string[]> {
    const rows = await manager.query<{ id: string }[]>(
      `WITH free AS (SELECT id FROM rooms WHERE id = ANY($1) FOR UPDATE SKIP LOCKED)
       SELECT id FROM rooms WHERE id = ANY($1) AND id NOT IN (SELECT id FROM free)`,
      [roomIds],
    );
    return rows.map(({ id }) => id);
  }

  /** What became of a transaction whose COMMIT was not answered. When it is still open, its session is ended. */
  async settle({ manager }: Transaction, xid: string): Promise<string | null> {
    const [row] = await manager.query<{ status: string | null }[]>(
      `SELECT s.status, (SELECT bool_or(pg_terminate_backend(a.pid)) FROM pg_stat_activity a
                          WHERE a.backend_xid = $1::xid8::xid AND s.status = 'in progress') AS ended
         FROM (SELECT pg_xact_status($1::xid8) AS status) s`,
      [xid],
    );
    return row?.status ?? null;
  }

  /** The actors and, for sends, those they mention. */
  private async members(
    { manager }: Transaction,
    changes: MessageChange[],
  ): Promise<Map<string, MemberState>> {
    const pairs = new Map<string, [string, string]>();
    const want = (roomId: string, userId: string) => pairs.set(pairKey(roomId, userId), [roomId, userId]);
    for (const change of changes) {
      want(change.roomId, change.actor.userId);
      if (change.kind === 'send')
        for (const userId of change.input.mentions ?? []) want(change.roomId, userId);
    }
    const wanted = [...pairs.values()];
    const rows = await manager.query<
      {
        room_id: string;
        user_id: string;
        role: MemberRole;
        name: string;
        avatar_url: string | null;
        last_sent_at: Date | null;
        history_from_seq: number;
      }[]
    >(
      `SELECT m.room_id, m.user_id, m.role, u.name, u.avatar_url, m.last_sent_at, m.history_from_seq
         FROM unnest($1::text[], $2::text[]) AS w(room_id, user_id)
         JOIN room_members m ON m.room_id = w.room_id AND m.user_id = w.user_id
         JOIN users u ON u.id = m.user_id`,
      [wanted.map(([roomId]) => roomId), wanted.map(([, userId]) => userId)],
    );
    return new Map(
      rows.map((row) => [
        pairKey(row.room_id, row.user_id),
        {
          roomId: row.room_id,
          userId: row.user_id,
          role: row.role,
          name: row.name,
          avatarUrl: row.avatar_url,
          lastSentAt: row.last_sent_at,
          historyFromSeq: row.history_from_seq,
        },
      ]),
    );
  }

  /** The messages that are changed, replied to or threaded on, and the roots of those that are in threads. */
  private async targets(
    { manager }: Transaction,
    changes: MessageChange[],
  ): Promise<Map<string, TargetState>> {
    const ids = new Set<string>();
    for (const change of changes) {
      if (change.kind !== 'send') ids.add(change.messageId);
      else for (const id of [change.input.replyTo, change.input.threadId]) if (id !== undefined) ids.add(id);
    }
    if (ids.size === 0) return new Map();
    const rows = await manager.query<
      {
        id: string;
        room_id: string;
        seq: number;
        rev: number;
        sender_id: string;
        type: string;
        content: string;
        has_data: boolean;
        thread_id: string | null;
        thread_replies: number;
        thread_last_reply_at: Date | null;
        pinned_at: Date | null;
        edited_at: Date | null;
        deleted_at: Date | null;
        deleted_by: string | null;
        delete_reason: string | null;
        emojis: string[] | null;
      }[]
    >(
      `SELECT m.*, m.data IS NOT NULL AS has_data,
              (SELECT array_agg(DISTINCT x.emoji) FROM reactions x WHERE x.message_id = m.id) AS emojis
         FROM messages m
        WHERE m.id = ANY($1::uuid[]) OR m.id IN (SELECT t.thread_id FROM messages t WHERE t.id = ANY($1::uuid[]))`,
      [[...ids]],
    );
    return new Map(
      rows.map((row) => [
        row.id,
        {
          id: row.id,
          roomId: row.room_id,
          seq: row.seq,
          rev: row.rev,
          senderId: row.sender_id,
          type: row.type,
          content: row.content,
          hasData: row.has_data,
          threadId: row.thread_id,
          threadReplies: row.thread_replies,
          threadLastReplyAt: row.thread_last_reply_at,
          pinnedAt: row.pinned_at,
          editedAt: row.edited_at,
          deletedAt: row.deleted_at,
          deletedBy: row.deleted_by,
          deleteReason: row.delete_reason,
          emojis: new Set(row.emojis),
        },
      ]),
    );
  }

  private async firstSends(
    { manager }: Transaction,
    changes: MessageChange[],
  ): Promise<Map<string, FirstSend>> {
    const asked: [string, string][] = [];
    for (const change of changes)
      if (change.kind === 'send' && change.input.clientMessageId !== undefined)
        asked.push([change.actor.userId, change.input.clientMessageId]);
    if (asked.length === 0) return new Map();
    const rows = await manager.query<
      {
        id: string;
        seq: number;
        created_rev: number;
        created_at: Date;
        sender_id: string;
        client_message_id: string;
        request_hash: string | null;
      }[]
    >(
      `SELECT m.id, m.seq, m.created_rev, m.created_at, m.sender_id, m.client_message_id, m.request_hash
         FROM unnest($1::text[], $2::text[]) AS w(sender_id, client_message_id)
         JOIN messages m ON m.sender_id = w.sender_id AND m.client_message_id = w.client_message_id`,
      [asked.map(([sender]) => sender), asked.map(([, id]) => id)],
    );
    return new Map(
      rows.map((row) => [
        pairKey(row.sender_id, row.client_message_id),
        {
          requestHash: row.request_hash,
          result: {
            messageId: row.id,
            seq: row.seq,
            rev: row.created_rev,
            createdAt: row.created_at.toISOString(),
          },
        },
      ]),
    );
  }

  private async reactions({ manager }: Transaction, changes: MessageChange[]): Promise<Set<string>> {
    const asked = changes.filter((change) => change.kind === 'react');
    if (asked.length === 0) return new Set();
    const rows = await manager.query<{ message_id: string; emoji: string; user_id: string }[]>(
      `SELECT x.message_id, x.emoji, x.user_id
         FROM unnest($1::uuid[], $2::text[], $3::text[]) AS w(message_id, emoji, user_id)
         JOIN reactions x ON x.message_id = w.message_id AND x.emoji = w.emoji AND x.user_id = w.user_id`,
      [
        asked.map(({ messageId }) => messageId),
        asked.map(({ emoji }) => emoji),
        asked.map(({ actor }) => actor.userId),
      ],
    );
    return new Set(rows.map((row) => reactionKey(row.message_id, row.emoji, row.user_id)));
  }

  private async insertMessages({ manager }: Transaction, { inserted }: MessageLedger): Promise<void> {
    if (inserted.length === 0) return;
    const views = inserted.map(({ view }) => view);
    await manager.query(
      `INSERT INTO messages (id, room_id, seq, rev, created_rev, sender_id, client_message_id, request_hash, type,
                             content, data, reply_to, thread_id, mentions, created_at)
       SELECT u.id, u.room_id, u.seq, u.rev, u.rev, u.sender_id, u.client_message_id, u.request_hash, u.type,
              u.content, u.data, u.reply_to, u.thread_id, ARRAY(SELECT json_array_elements_text(u.mentions)), u.created_at
         FROM unnest($1::uuid[], $2::text[], $3::int[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[],
                     $9::text[], $10::json[], $11::uuid[], $12::uuid[], $13::json[], $14::timestamptz[])
           AS u(id, room_id, seq, rev, sender_id, client_message_id, request_hash, type,
                content, data, reply_to, thread_id, mentions, created_at)`,
      [
        views.map(({ id }) => id),
        views.map(({ roomId }) => roomId),
        views.map(({ seq }) => seq),
        views.map(({ rev }) => rev),
        views.map(({ sender }) => sender.id),
        views.map(({ clientMessageId }) => clientMessageId ?? null),
        inserted.map(({ requestHash }) => requestHash),
        views.map(({ type }) => type),
        views.map(({ content }) => content),
        views.map(({ data }) => (data === undefined ? null : JSON.stringify(data))),
        views.map(({ replyTo }) => replyTo?.id ?? null),
        views.map(({ threadId }) => threadId ?? null),
        views.map(({ mentions }) => JSON.stringify(mentions)),
        views.map(({ createdAt }) => createdAt),
      ],
    );
    // Thread replies are in nobody's unread count, so their mentions are in no mention count.
    const mentions = views.flatMap(({ roomId, seq, sender, threadId, mentions: users }) =>
      threadId === undefined ? users.map((userId) => ({ roomId, seq, userId, senderId: sender.id })) : [],
    );
    if (mentions.length === 0) return;
    await manager.query(
      `INSERT INTO mentions (room_id, user_id, seq, sender_id)
       SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::text[])`,
      [
        mentions.map(({ roomId }) => roomId),
        mentions.map(({ userId }) => userId),
        mentions.map(({ seq }) => seq),
        mentions.map(({ senderId }) => senderId),
      ],
    );
  }

  private async updateMessages({ manager }: Transaction, ledger: MessageLedger): Promise<void> {
    const changed = [...ledger.changed.values()];
    if (changed.length === 0) return;
    await manager.query(
      `UPDATE messages m
          SET rev = u.rev, content = u.content, thread_replies = u.thread_replies,
              thread_last_reply_at = u.thread_last_reply_at, pinned_at = u.pinned_at, edited_at = u.edited_at,
              deleted_at = u.deleted_at, deleted_by = u.deleted_by, delete_reason = u.delete_reason,
              data = CASE WHEN u.deleted_at IS NULL THEN m.data END,
              mentions = CASE WHEN u.deleted_at IS NULL THEN m.mentions ELSE '{}' END
         FROM unnest($1::uuid[], $2::int[], $3::text[], $4::int[], $5::timestamptz[], $6::timestamptz[],
                     $7::timestamptz[], $8::timestamptz[], $9::text[], $10::text[])
           AS u(id, rev, content, thread_replies, thread_last_reply_at, pinned_at, edited_at, deleted_at, deleted_by, delete_reason)
        WHERE m.id = u.id`,
      [
        changed.map(({ id }) => id),
        changed.map(({ rev }) => rev),
        changed.map(({ content }) => content),
        changed.map(({ threadReplies }) => threadReplies),
        changed.map(({ threadLastReplyAt }) => threadLastReplyAt),
        changed.map(({ pinnedAt }) => pinnedAt),
        changed.map(({ editedAt }) => editedAt),
        changed.map(({ deletedAt }) => deletedAt),
        changed.map(({ deletedBy }) => deletedBy),
        changed.map(({ deleteReason }) => deleteReason),
      ],
    );
  }

  private async writeReactions({ manager }: Transaction, ledger: MessageLedger, now: Date): Promise<void> {
    const last = new Map(
      ledger.reactionChanges.map((change) => [
        reactionKey(change.messageId, change.emoji, change.userId),
        change,
      ]),
    );
    const columns = (on: boolean) => {
      const rows = [...last.values()].filter((change) => change.on === on);
      return [
        rows.map(({ messageId }) => messageId),
        rows.map(({ emoji }) => emoji),
        rows.map(({ userId }) => userId),
      ];
    };
    const [added, removed] = [columns(true), columns(false)];
    if (added[0]?.length)
      await manager.query(
        `INSERT INTO reactions (message_id, emoji, user_id, created_at)
         SELECT u.*, $4::timestamptz FROM unnest($1::uuid[], $2::text[], $3::text[]) AS u ON CONFLICT DO NOTHING`,
        [...added, now],
      );
    if (removed[0]?.length)
      await manager.query(
        `DELETE FROM reactions x USING unnest($1::uuid[], $2::text[], $3::text[]) AS u(message_id, emoji, user_id)
          WHERE x.message_id = u.message_id AND x.emoji = u.emoji AND x.user_id = u.user_id`,
        removed,
      );
    const deleted = [...ledger.changed.values()].filter(({ deletedAt }) => deletedAt);
    if (deleted.length === 0) return;
    await manager.query(`DELETE FROM reactions WHERE message_id = ANY($1::uuid[])`, [
      deleted.map(({ id }) => id),
    ]);
    await manager.query(
      `DELETE FROM mentions x USING unnest($1::text[], $2::int[]) AS u(room_id, seq) WHERE x.room_id = u.room_id AND x.seq = u.seq`,
      [deleted.map(({ roomId }) => roomId), deleted.map(({ seq }) => seq)],
    );
  }

  private async moveSenders({ manager }: Transaction, { sentBy }: MessageLedger, now: Date): Promise<void> {
    const senders = [...sentBy.values()];
    if (senders.length === 0) return;
    await manager.query(
      `UPDATE room_members m SET last_sent_at = $4, last_read_seq = greatest(m.last_read_seq, u.seq)
         FROM unnest($1::text[], $2::text[], $3::int[]) AS u(room_id, user_id, seq)
        WHERE m.room_id = u.room_id AND m.user_id = u.user_id`,
      [
        senders.map(({ roomId }) => roomId),
        senders.map(({ userId }) => userId),
        senders.map(({ seq }) => seq),
        now,
      ],
    );
  }
}

import { Injectable } from '@nestjs/common';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { Outbox } from '../platform/outbox/outbox.js';
import { reactionKey, type RoomState } from './batch-state.js';
import type { MessageLedger } from './message-ledger.js';

/** Writes what a ledger decided, with one statement for each kind of row, however many there are. */
@Injectable()
export class BatchStateWriter {
  constructor(private readonly outbox: Outbox) {}

  async write(
    tx: Transaction,
    rooms: Map<string, RoomState>,
    ledger: MessageLedger,
    now: Date,
  ): Promise<void> {
    await this.insertMessages(tx, ledger);
    await this.writeReactions(tx, ledger, now);
    await this.clearDeleted(tx, ledger);
    await this.updateMessages(tx, ledger);
    await this.moveSenders(tx, ledger, now);
    await this.outbox.appendAll(tx, ledger.facts);
    const moved = [...rooms.values()];
    await tx.manager.query(
      `UPDATE rooms r SET last_seq = u.seq, last_rev = u.rev
         FROM unnest($1::text[], $2::int[], $3::int[]) AS u(id, seq, rev) WHERE r.id = u.id AND r.last_rev <> u.rev`,
      [moved.map(({ id }) => id), moved.map(({ lastSeq }) => lastSeq), moved.map(({ lastRev }) => lastRev)],
    );
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
  }

  /** What hangs on a message goes with it. Before its own mentions are cleared: they make the whole key of each row. */
  private async clearDeleted({ manager }: Transaction, ledger: MessageLedger): Promise<void> {
    const deleted = [...ledger.changed.values()].filter(({ deletedAt }) => deletedAt).map(({ id }) => id);
    if (deleted.length === 0) return;
    await manager.query(`DELETE FROM reactions WHERE message_id = ANY($1::uuid[])`, [deleted]);
    await manager.query(
      `DELETE FROM mentions x
        USING (SELECT room_id, seq, unnest(mentions) AS user_id FROM messages WHERE id = ANY($1::uuid[])) u
        WHERE x.room_id = u.room_id AND x.user_id = u.user_id AND x.seq = u.seq`,
      [deleted],
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

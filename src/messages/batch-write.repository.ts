import { ALWAYS } from '../platform/database/conditional-writes.js';
import type { Statement } from '../platform/database/pipelined-transaction.js';
import { reactionKey, type RoomState } from './batch-state.js';
import type { MessageLedger, ReactionChange } from './message-ledger.js';

/**
 * As `=`, but only by an index: for a table that was small when the statement was planned, a join would walk through all of
 * it, and go on so when it is large. For the columns an index begins with.
 */
const by = (column: string, value: string) => `${column} = ANY(ARRAY[${value}])`;

/** When the server took the statement, which is after the locks were taken; in milliseconds, as everybody is told it. */
export const STATEMENT_TIME = `date_trunc('milliseconds', statement_timestamp())`;

/** What a ledger decided, as one statement for each kind of row, however many there are, in the order they have to be executed in. */
export function writeBatch(
  ledger: MessageLedger,
  rooms: ReadonlyMap<string, RoomState>,
  now: Date,
): Statement[] {
  return [
    insertMessages(ledger, ledger.createdAt),
    insertMentions(ledger),
    ...writeReactions(ledger, now),
    ...clearDeleted(ledger),
    updateMessages(ledger),
    moveSenders(ledger, now),
    moveRooms([...rooms.values()]),
  ].filter((statement) => statement !== undefined);
}

const INSERT_MESSAGES = `
  INSERT INTO messages (id, room_id, seq, rev, created_rev, sender_id, client_message_id, request_hash, type,
                        content, data, reply_to, thread_id, mentions, created_at)
  SELECT u.id, u.room_id, u.seq, u.rev, u.rev, u.sender_id, u.client_message_id, u.request_hash, u.type,
         u.content, u.data, u.reply_to, u.thread_id, coalesce(u.mentions, '{}')::text[],
         coalesce($14::timestamptz, ${STATEMENT_TIME})
    FROM unnest($1::uuid[], $2::text[], $3::int[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[],
                $9::text[], $10::json[], $11::uuid[], $12::uuid[], $13::text[])
      AS u(id, room_id, seq, rev, sender_id, client_message_id, request_hash, type,
           content, data, reply_to, thread_id, mentions)
   WHERE ${ALWAYS}`;

const MOVE_SENDERS = `
  UPDATE room_members m SET last_sent_at = coalesce($4::timestamptz, ${STATEMENT_TIME}),
                            last_read_seq = greatest(m.last_read_seq, u.seq)
    FROM unnest($1::text[], $2::text[], $3::int[]) AS u(room_id, user_id, seq)
   WHERE ${by('m.room_id', 'u.room_id')} AND ${by('m.user_id', 'u.user_id')} AND ${ALWAYS}`;

const MOVE_ROOMS = `
  UPDATE rooms r SET last_seq = u.seq, last_rev = u.rev
    FROM unnest($1::text[], $2::int[], $3::int[]) AS u(id, seq, rev)
   WHERE ${by('r.id', 'u.id')} AND r.last_rev <> u.rev AND ${ALWAYS}`;

/** `createdAt`: null for the time of the statement. */
export function insertMessages({ inserted }: MessageLedger, createdAt: string | null): Statement | undefined {
  if (inserted.length === 0) return undefined;
  const views = inserted.map(({ view }) => view);
  return {
    name: 'batch-insert-messages',
    text: INSERT_MESSAGES,
    values: [
      views.map(({ id }) => id),
      views.map(({ roomId }) => roomId),
      views.map(({ seq }) => seq),
      views.map(({ rev }) => rev),
      views.map(({ sender }) => sender.id),
      rare(views, ({ clientMessageId }) => clientMessageId),
      rare(inserted, ({ requestHash }) => requestHash),
      views.map(({ type }) => type),
      views.map(({ content }) => content),
      rare(views, ({ data }) => (data === undefined ? null : JSON.stringify(data))),
      rare(views, ({ replyTo }) => replyTo?.id),
      rare(views, ({ threadId }) => threadId),
      rare(views, ({ mentions }) => (mentions.length > 0 ? arrayLiteral(mentions) : null)),
      createdAt,
    ],
  };
}

/** What most messages do not have: `unnest` makes NULL of what is missing at the end of a list, or all of it. */
function rare<T, V>(items: readonly T[], of: (item: T) => V | null | undefined): (V | null)[] {
  const values = items.map((item) => of(item) ?? null);
  return values.every((value) => value === null) ? [] : values;
}

/** Thread replies are in nobody's unread count, so their mentions are in no mention count. */
export function insertMentions({ inserted }: MessageLedger): Statement | undefined {
  const mentions = inserted.flatMap(({ view: { roomId, seq, sender, threadId, mentions: users } }) =>
    threadId === undefined ? users.map((userId) => ({ roomId, seq, userId, senderId: sender.id })) : [],
  );
  if (mentions.length === 0) return undefined;
  return {
    name: 'batch-insert-mentions',
    text: `INSERT INTO mentions (room_id, user_id, seq, sender_id)
       SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::text[]) WHERE ${ALWAYS}`,
    values: [
      mentions.map(({ roomId }) => roomId),
      mentions.map(({ userId }) => userId),
      mentions.map(({ seq }) => seq),
      mentions.map(({ senderId }) => senderId),
    ],
  };
}

function updateMessages(ledger: MessageLedger): Statement | undefined {
  const changed = [...ledger.changed.values()];
  if (changed.length === 0) return undefined;
  return {
    name: 'batch-update-messages',
    text: `UPDATE messages m
          SET rev = u.rev, content = u.content, thread_replies = u.thread_replies,
              thread_last_reply_at = u.thread_last_reply_at, pinned_at = u.pinned_at, edited_at = u.edited_at,
              deleted_at = u.deleted_at, deleted_by = u.deleted_by, delete_reason = u.delete_reason,
              data = CASE WHEN u.deleted_at IS NULL THEN m.data END,
              mentions = CASE WHEN u.deleted_at IS NULL THEN m.mentions ELSE '{}' END
         FROM unnest($1::uuid[], $2::int[], $3::text[], $4::int[], $5::timestamptz[], $6::timestamptz[],
                     $7::timestamptz[], $8::timestamptz[], $9::text[], $10::text[])
           AS u(id, rev, content, thread_replies, thread_last_reply_at, pinned_at, edited_at, deleted_at, deleted_by, delete_reason)
        WHERE ${by('m.id', 'u.id')}`,
    values: [
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
  };
}

/** Of several changes of one reaction in a batch the last one counts. */
function writeReactions({ reactionChanges }: MessageLedger, now: Date): Statement[] {
  const last = new Map(
    reactionChanges.map((change) => [reactionKey(change.messageId, change.emoji, change.userId), change]),
  );
  const [added, removed] = [true, false].map((on) => [...last.values()].filter((change) => change.on === on));
  const statements: Statement[] = [];
  if (added?.length)
    statements.push({
      name: 'batch-add-reactions',
      text: `INSERT INTO reactions (message_id, emoji, user_id, created_at)
         SELECT u.*, $4::timestamptz FROM unnest($1::uuid[], $2::text[], $3::text[]) AS u ON CONFLICT DO NOTHING`,
      values: [...reactionColumns(added), now],
    });
  if (removed?.length)
    statements.push({
      name: 'batch-remove-reactions',
      text: `DELETE FROM reactions x USING unnest($1::uuid[], $2::text[], $3::text[]) AS u(message_id, emoji, user_id)
          WHERE ${by('x.message_id', 'u.message_id')} AND x.emoji = u.emoji AND x.user_id = u.user_id`,
      values: reactionColumns(removed),
    });
  return statements;
}

function reactionColumns(rows: readonly ReactionChange[]): string[][] {
  return [
    rows.map(({ messageId }) => messageId),
    rows.map(({ emoji }) => emoji),
    rows.map(({ userId }) => userId),
  ];
}

/** What hangs on a message goes with it. Before its own mentions are cleared: they make the whole key of each row. */
function clearDeleted(ledger: MessageLedger): Statement[] {
  const deleted = [...ledger.changed.values()].filter(({ deletedAt }) => deletedAt).map(({ id }) => id);
  if (deleted.length === 0) return [];
  return [
    {
      name: 'batch-clear-reactions',
      text: 'DELETE FROM reactions WHERE message_id = ANY($1::uuid[])',
      values: [deleted],
    },
    {
      name: 'batch-clear-mentions',
      text: `DELETE FROM mentions x
        USING (SELECT room_id, seq, unnest(mentions) AS user_id FROM messages WHERE id = ANY($1::uuid[])) u
        WHERE ${by('x.room_id', 'u.room_id')} AND ${by('x.user_id', 'u.user_id')} AND x.seq = u.seq`,
      values: [deleted],
    },
  ];
}

export function moveSenders({ sentBy }: MessageLedger, now: Date | null): Statement | undefined {
  const senders = [...sentBy.values()];
  if (senders.length === 0) return undefined;
  return {
    name: 'batch-move-senders',
    text: MOVE_SENDERS,
    values: [
      senders.map(({ roomId }) => roomId),
      senders.map(({ userId }) => userId),
      senders.map(({ seq }) => seq),
      now,
    ],
  };
}

export function moveRooms(rooms: readonly RoomState[]): Statement {
  return {
    name: 'batch-move-rooms',
    text: MOVE_ROOMS,
    values: [
      rooms.map(({ id }) => id),
      rooms.map(({ lastSeq }) => lastSeq),
      rooms.map(({ lastRev }) => lastRev),
    ],
  };
}

/** A list in a list, which `unnest` would flatten: as the text of an array. */
function arrayLiteral(items: readonly string[]): string {
  return `{${items.map((item) => `"${item.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

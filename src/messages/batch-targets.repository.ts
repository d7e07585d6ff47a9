import type { Statement } from '../platform/database/pipelined-transaction.js';
import { pairKey, reactionKey, type FirstSend, type LedgerState, type TargetState } from './batch-state.js';
import type { MessageChange } from './message-change.js';
import { messageRows } from './message-rows.repository.js';
import type { MessageRow } from './message.view.js';

interface TargetRow {
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
}

interface KeptRow {
  id: string;
  seq: number;
  created_rev: number;
  created_at: Date;
}

interface FirstSendRow extends KeptRow {
  sender_id: string;
  client_message_id: string;
  request_hash: string | null;
}

interface ReactionRow {
  message_id: string;
  emoji: string;
  user_id: string;
}

/** LIMIT keeps to the index whatever the table looked like when this was planned: a join is planned for what is there. */
const byId = (id: string) => `LATERAL (SELECT * FROM messages WHERE messages.id = ${id} LIMIT 1)`;

interface NewcomersRow {
  message_id: string;
  users: string[];
}

/** The messages that are changed, replied to or threaded on, and the roots of those that are in threads. */
export function readTargets(changes: readonly MessageChange[]): Statement<TargetRow> | undefined {
  const ids = new Set<string>();
  for (const change of changes) {
    if (change.kind !== 'send') ids.add(change.messageId);
    else for (const id of [change.input.replyTo, change.input.threadId]) if (id !== undefined) ids.add(id);
  }
  if (ids.size === 0) return undefined;
  return {
    name: 'batch-targets',
    // Named, not `m.*`: a prepared statement fails when a migration of a newer version adds a column.
    text: `SELECT m.id, m.room_id, m.seq, m.rev, m.sender_id, m.type, m.content, m.data IS NOT NULL AS has_data,
              m.thread_id, m.thread_replies, m.thread_last_reply_at, m.pinned_at, m.edited_at, m.deleted_at,
              m.deleted_by, m.delete_reason,
              (SELECT array_agg(DISTINCT x.emoji) FROM reactions x WHERE x.message_id = m.id) AS emojis
         FROM (SELECT unnest($1::uuid[]) AS id
                UNION SELECT t.thread_id FROM unnest($1::uuid[]) AS a(id), ${byId('a.id')} t) w,
              ${byId('w.id')} m`,
    values: [[...ids]],
  };
}

export function targetsOf(rows: readonly TargetRow[]): Map<string, TargetState> {
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

/** What the senders have sent before under the ids they chose. */
export function readFirstSends(changes: readonly MessageChange[]): Statement<FirstSendRow> | undefined {
  const senders: string[] = [];
  const ids: string[] = [];
  for (const change of changes)
    if (change.kind === 'send' && change.input.clientMessageId !== undefined) {
      senders.push(change.actor.userId);
      ids.push(change.input.clientMessageId);
    }
  if (ids.length === 0) return undefined;
  return {
    name: 'batch-first-sends',
    text: `SELECT m.id, m.seq, m.created_rev, m.created_at, m.sender_id, m.client_message_id, m.request_hash
         FROM unnest($1::text[], $2::text[]) AS w(sender_id, client_message_id)
        CROSS JOIN LATERAL (SELECT * FROM messages m
                             WHERE m.sender_id = w.sender_id AND m.client_message_id = w.client_message_id LIMIT 1) m`,
    values: [senders, ids],
  };
}

export function firstSendsOf(rows: readonly FirstSendRow[]): Map<string, FirstSend> {
  return new Map(
    rows.map((row) => [
      pairKey(row.sender_id, row.client_message_id),
      { requestHash: row.request_hash, result: resultOf(row) },
    ]),
  );
}

/** What is there of the messages whose last attempt was not answered. */
export function readKept(changes: readonly MessageChange[]): Statement<KeptRow> | undefined {
  const ids = changes.flatMap((change) =>
    change.kind === 'send' && change.inDoubt ? [change.messageId] : [],
  );
  if (ids.length === 0) return undefined;
  return {
    name: 'batch-kept',
    text: `SELECT m.id, m.seq, m.created_rev, m.created_at FROM unnest($1::uuid[]) AS w(id), ${byId('w.id')} m`,
    values: [ids],
  };
}

export function keptOf(rows: readonly KeptRow[]): LedgerState['kept'] {
  return new Map(rows.map((row) => [row.id, resultOf(row)]));
}

function resultOf(row: KeptRow): FirstSend['result'] {
  return {
    messageId: row.id,
    seq: row.seq,
    rev: row.created_rev,
    createdAt: row.created_at.toISOString(),
  };
}

/** Those there are among the reactions that are asked for. */
export function readReactions(changes: readonly MessageChange[]): Statement<ReactionRow> | undefined {
  const asked = changes.filter((change) => change.kind === 'react');
  if (asked.length === 0) return undefined;
  return {
    name: 'batch-reactions',
    text: `SELECT x.message_id, x.emoji, x.user_id
         FROM unnest($1::uuid[], $2::text[], $3::text[]) AS w(message_id, emoji, user_id)
        CROSS JOIN LATERAL (SELECT * FROM reactions x WHERE x.message_id = w.message_id
                               AND x.emoji = w.emoji AND x.user_id = w.user_id LIMIT 1) x`,
    values: [
      asked.map(({ messageId }) => messageId),
      asked.map(({ emoji }) => emoji),
      asked.map(({ actor }) => actor.userId),
    ],
  };
}

export function reactionsOf(rows: readonly ReactionRow[]): Set<string> {
  return new Set(rows.map((row) => reactionKey(row.message_id, row.emoji, row.user_id)));
}

/** As everybody will read them. */
export function readBack(ids: Iterable<string>): Statement<MessageRow> {
  return {
    name: 'batch-read-back',
    text: messageRows(`(SELECT x.* FROM unnest($1::uuid[]) AS w(id), ${byId('w.id')} x)`),
    values: [[...ids]],
  };
}

/** The members who came after a message, in rooms that show newcomers nothing older. They do not get its changes. */
export function readNewcomers(messages: readonly TargetState[]): Statement<NewcomersRow> | undefined {
  if (messages.length === 0) return undefined;
  return {
    // Without a name: no other index would do, and only a plan for the table as it is now is sure to take it.
    text: `SELECT w.id AS message_id, n.users
         FROM unnest($1::uuid[], $2::text[], $3::int[]) AS w(id, room_id, seq)
        CROSS JOIN LATERAL (SELECT array_agg(m.user_id) AS users FROM room_members m
                             WHERE m.room_id = w.room_id AND m.history_from_seq >= w.seq) n
        WHERE n.users IS NOT NULL`,
    values: [
      messages.map(({ id }) => id),
      messages.map(({ roomId }) => roomId),
      messages.map(({ seq }) => seq),
    ],
  };
}

export function newcomersOf(rows: readonly NewcomersRow[]): Map<string, string[]> {
  return new Map(rows.map(({ message_id, users }) => [message_id, users]));
}

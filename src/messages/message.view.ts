import { CONTRACT_LIMITS } from '../contract/limits.js';
import type { Message, Reaction } from '../contract/views.js';

/** A message with what its view needs from other tables, as `MESSAGE_ROWS` selects it. */
export interface MessageRow {
  id: string;
  room_id: string;
  seq: number;
  rev: number;
  sender_id: string;
  sender_name: string;
  sender_avatar_url: string | null;
  client_message_id: string | null;
  type: string;
  content: string;
  data: unknown;
  reply_to: string | null;
  reply_seq: number | null;
  reply_excerpt: string | null;
  thread_id: string | null;
  thread_replies: number;
  thread_last_reply_at: Date | null;
  mentions: string[];
  reactions: Reaction[] | null;
  pinned_at: Date | null;
  created_at: Date;
  edited_at: Date | null;
  deleted_at: Date | null;
}

/** The start of a message that is replied to. */
export function excerptOf(content: string): string {
  return [...content].slice(0, CONTRACT_LIMITS.excerptLength).join('');
}

export function messageView(row: MessageRow): Message {
  return {
    id: row.id,
    roomId: row.room_id,
    seq: row.seq,
    rev: row.rev,
    type: row.type,
    ...(row.data !== null && { data: row.data }),
    sender: {
      id: row.sender_id,
      name: row.sender_name,
      ...(row.sender_avatar_url !== null && { avatarUrl: row.sender_avatar_url }),
    },
    content: row.content,
    ...(row.client_message_id !== null && { clientMessageId: row.client_message_id }),
    ...(row.reply_to !== null &&
      row.reply_seq !== null && {
        replyTo: { id: row.reply_to, seq: row.reply_seq, excerpt: row.reply_excerpt ?? '' },
      }),
    ...(row.thread_id !== null && { threadId: row.thread_id }),
    ...(row.thread_last_reply_at && {
      thread: { replies: row.thread_replies, lastReplyAt: row.thread_last_reply_at.toISOString() },
    }),
    reactions: row.reactions ?? [],
    mentions: row.mentions,
    ...(row.pinned_at && { pinnedAt: row.pinned_at.toISOString() }),
    createdAt: row.created_at.toISOString(),
    ...(row.edited_at && { editedAt: row.edited_at.toISOString() }),
    ...(row.deleted_at && { deletedAt: row.deleted_at.toISOString() }),
  };
}

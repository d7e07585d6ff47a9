import type { EntityManager } from 'typeorm';
import { CONTRACT_LIMITS } from '../contract/limits.js';
import type { MessageRow } from './message.view.js';

/**
 * Selects messages with all their view needs; every reader of messages appends its own WHERE, so that a live
 * event, a page of history and a page of sync can never disagree about a message's shape.
 */
const MESSAGE_ROWS = `
  SELECT m.id, m.room_id, m.seq, m.rev, m.sender_id, u.name AS sender_name, u.avatar_url AS sender_avatar_url,
         m.client_message_id, m.type, m.content, m.data, m.reply_to, rt.seq AS reply_seq,
         CASE WHEN rt.deleted_at IS NULL AND r.history = 'full'
              THEN left(rt.content, ${String(CONTRACT_LIMITS.excerptLength)}) ELSE '' END AS reply_excerpt,
         m.thread_id, m.thread_replies, m.thread_last_reply_at, m.mentions, re.reactions,
         m.pinned_at, m.created_at, m.edited_at, m.deleted_at
    FROM messages m
    JOIN users u ON u.id = m.sender_id
    JOIN rooms r ON r.id = m.room_id
    LEFT JOIN messages rt ON rt.id = m.reply_to
    LEFT JOIN LATERAL (
      SELECT json_agg(json_build_object('emoji', g.emoji, 'count', g.count, 'userIds', g.users) ORDER BY g.first, g.emoji) AS reactions
        FROM (SELECT x.emoji, count(*)::int AS count, min(x.created_at) AS first,
                     (array_agg(x.user_id ORDER BY x.created_at, x.user_id))[1:${String(CONTRACT_LIMITS.reactionUserIds)}] AS users
                FROM reactions x WHERE x.message_id = m.id GROUP BY x.emoji) g
    ) re ON true`;

/** `tail` is the rest of the statement, after FROM. */
export function selectMessages(
  manager: EntityManager,
  tail: string,
  parameters: unknown[],
): Promise<MessageRow[]> {
  return manager.query<MessageRow[]>(`${MESSAGE_ROWS} ${tail}`, parameters);
}

import type { EntityManager } from 'typeorm';
import { CONTRACT_LIMITS } from '../contract/limits.js';
import type { MessageRow } from './message.view.js';

/**
 * Selects messages with all their view needs; every reader of messages brings its own FROM or WHERE, so that a live
 * event, a page of history and a page of sync can never disagree about a message's shape. `source` has the columns
 * of the table. LIMIT keeps to the indexes where this is planned once, however little there was at that time.
 */
export const messageRows = (source: string) => `
  SELECT m.id, m.room_id, m.seq, m.rev, m.sender_id, u.name AS sender_name, u.avatar_url AS sender_avatar_url,
         m.client_message_id, m.type, m.content, m.data, m.reply_to, rt.seq AS reply_seq,
         CASE WHEN rt.id IS NOT NULL AND rt.deleted_at IS NULL
                   AND (SELECT r.history FROM rooms r WHERE r.id = m.room_id) = 'full'
              THEN left(rt.content, ${String(CONTRACT_LIMITS.excerptLength)}) ELSE '' END AS reply_excerpt,
         m.thread_id, m.thread_replies, m.thread_last_reply_at, m.mentions, re.reactions,
         m.pinned_at, m.created_at, m.edited_at, m.deleted_at
    FROM ${source} m
   CROSS JOIN LATERAL (SELECT * FROM users WHERE users.id = m.sender_id LIMIT 1) u
    LEFT JOIN LATERAL (SELECT * FROM messages WHERE messages.id = m.reply_to LIMIT 1) rt ON true
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
  return manager.query<MessageRow[]>(`${messageRows('messages')} ${tail}`, parameters);
}

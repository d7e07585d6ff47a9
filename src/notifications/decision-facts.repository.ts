import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { Transaction } from '../platform/database/unit-of-work.js';
import type { CausingMessage } from './message-causes.js';
import type { DecidedMember } from './notifications.policy.js';

/** A message with all that deciding it, and telling of it, needs. */
export interface MessageFacts extends CausingMessage {
  deleted: boolean;
  content: string;
  createdAt: Date;
  roomName: string | null;
  senderName: string;
  senderAvatarUrl: string | null;
}

/** One with whom its room concerns whatever it says: everybody in a direct room, elsewhere who wants to hear of everything. */
export interface UndecidedMessage extends MessageFacts {
  audience: string[];
}

export interface MemberFacts extends DecidedMember {
  roomId: string;
  userId: string;
  joinedAt: Date;
}

/** A room somebody was added to, and who did it. */
export interface InviteFacts {
  roomId: string;
  userId: string;
  roomName: string | null;
  byUserId: string;
  byName: string;
  byAvatarUrl: string | null;
  suspended: boolean;
}

/** A thread is followed by those who wrote one of its newest replies, so many. Reading all of a long one would hold up the others. */
const FOLLOWED_REPLIES = '1000';

const MESSAGES = `
  SELECT m.id, m.room_id AS "roomId", r.type AS "roomType", r.name AS "roomName", m.seq, m.sender_id AS "senderId",
         u.name AS "senderName", u.avatar_url AS "senderAvatarUrl", m.content, m.mentions, m.thread_id AS "threadId",
         m.created_at AS "createdAt", m.deleted_at IS NOT NULL AS deleted, answered.sender_id AS "replyAuthorId",
         root.sender_id AS "rootAuthorId"
    FROM messages m
    JOIN rooms r ON r.id = m.room_id
    JOIN users u ON u.id = m.sender_id
    LEFT JOIN messages answered ON answered.id = m.reply_to
    LEFT JOIN messages root ON root.id = m.thread_id`;

const MEMBERS = `
  SELECT m.room_id AS "roomId", m.user_id AS "userId", m.joined_at AS "joinedAt", m.last_read_seq AS "lastReadSeq",
         m.history_from_seq AS "historyFromSeq", m.notify_level AS "notifyLevel",
         coalesce(m.notify_muted_until > clock_timestamp(), false) AS muted, u.suspended_at IS NOT NULL AS suspended
    FROM room_members m JOIN users u ON u.id = m.user_id`;

/** What decisions are made of, read for a whole batch with one statement of each kind. */
@Injectable()
export class DecisionFactsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Those of these messages that nothing was decided of yet. */
  undecided({ manager }: Transaction, ids: readonly string[]): Promise<UndecidedMessage[]> {
    return manager.query<UndecidedMessage[]>(
      `SELECT m.*, CASE WHEN m."roomType" = 'direct'
                        THEN ARRAY(SELECT a.user_id FROM room_members a WHERE a.room_id = m."roomId")
                        ELSE ARRAY(SELECT a.user_id FROM room_members a
                                    WHERE a.room_id = m."roomId" AND a.notify_level = 'all') END AS audience
         FROM (${MESSAGES} WHERE m.id = ANY($1::uuid[])) m
        WHERE NOT EXISTS (SELECT FROM notification_decisions d WHERE d.message_id = m.id)`,
      [ids],
    );
  }

  messages(
    ids: readonly string[],
    manager: EntityManager = this.dataSource.manager,
  ): Promise<MessageFacts[]> {
    return manager.query<MessageFacts[]>(`${MESSAGES} WHERE m.id = ANY($1::uuid[])`, [ids]);
  }

  /** Who has replied in these threads, with the `seq` of the first of their newer replies. */
  repliers(
    { manager }: Transaction,
    threadIds: readonly string[],
  ): Promise<{ threadId: string; userId: string; first: number }[]> {
    return manager.query(
      `SELECT w.thread_id AS "threadId", x.sender_id AS "userId", min(x.seq) AS first
         FROM unnest($1::uuid[]) AS w(thread_id)
        CROSS JOIN LATERAL (SELECT sender_id, seq FROM messages
                             WHERE thread_id = w.thread_id AND deleted_at IS NULL
                             ORDER BY seq DESC LIMIT ${FOLLOWED_REPLIES}) x
        GROUP BY w.thread_id, x.sender_id`,
      [threadIds],
    );
  }

  /** Of the members each of these messages was written to those who read their room last, at most so many. */
  reached(
    { manager }: Transaction,
    messageIds: readonly string[],
    limit: number,
  ): Promise<{ messageId: string; userId: string }[]> {
    return manager.query(
      // A newcomer has read everything: whoever comes before it is decided would take the place of one it was written to.
      `SELECT m.id AS "messageId", x.user_id AS "userId" FROM messages m
        CROSS JOIN LATERAL (SELECT user_id FROM room_members
                             WHERE room_id = m.room_id AND joined_at <= m.created_at
                             ORDER BY last_read_seq DESC, user_id LIMIT $2) x
        WHERE m.id = ANY($1::uuid[])`,
      [messageIds, limit],
    );
  }

  /** Memberships of (room, user) pairs. */
  membersOf(
    pairs: readonly { roomId: string; userId: string }[],
    manager: EntityManager = this.dataSource.manager,
  ): Promise<MemberFacts[]> {
    return manager.query<MemberFacts[]>(
      `${MEMBERS} JOIN unnest($1::text[], $2::text[]) AS w(room_id, user_id)
            ON w.room_id = m.room_id AND w.user_id = m.user_id`,
      [pairs.map(({ roomId }) => roomId), pairs.map(({ userId }) => userId)],
    );
  }

  /** Of these additions those that still hold. Direct rooms are left out: their first message tells. */
  invites(
    { manager }: Transaction,
    added: readonly { roomId: string; userId: string; byUserId: string }[],
  ): Promise<InviteFacts[]> {
    return manager.query<InviteFacts[]>(
      `SELECT m.room_id AS "roomId", m.user_id AS "userId", r.name AS "roomName", b.id AS "byUserId", b.name AS "byName",
              b.avatar_url AS "byAvatarUrl", u.suspended_at IS NOT NULL AS suspended
         FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS w(room_id, user_id, by_user_id, n)
         JOIN room_members m ON m.room_id = w.room_id AND m.user_id = w.user_id
         JOIN rooms r ON r.id = m.room_id AND r.type <> 'direct'
         JOIN users u ON u.id = m.user_id
         JOIN users b ON b.id = w.by_user_id
        ORDER BY w.n`,
      [
        added.map(({ roomId }) => roomId),
        added.map(({ userId }) => userId),
        added.map(({ byUserId }) => byUserId),
      ],
    );
  }

  /** The users among these ids that exist. */
  async existing({ manager }: Transaction, userIds: readonly string[]): Promise<string[]> {
    const rows = await manager.query<{ id: string }[]>('SELECT id FROM users WHERE id = ANY($1)', [userIds]);
    return rows.map(({ id }) => id);
  }
}

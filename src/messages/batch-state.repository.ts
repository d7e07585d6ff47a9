import { Injectable } from '@nestjs/common';
import type { RestrictionKind } from '../contract/moderation.js';
import type { MemberRole } from '../contract/views.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import type { ActiveRestriction } from '../rooms/restrictions.policy.js';
import { EVERYWHERE } from '../rooms/restriction.entity.js';
import type { LockedRooms } from './batch-locks.repository.js';
import {
  pairKey,
  reactionKey,
  type FirstSend,
  type LedgerState,
  type MemberState,
  type TargetState,
} from './batch-state.js';
import type { MessageChange } from './message-change.js';

/** Reads what a batch of changes of any size is decided on, under the locks, with one statement for each kind of row. */
@Injectable()
export class BatchStateReader {
  async read(tx: Transaction, locked: LockedRooms, changes: MessageChange[]): Promise<LedgerState> {
    const people = await this.people(tx, changes);
    return {
      now: locked.now,
      ...people,
      rooms: locked.rooms,
      targets: await this.targets(tx, changes),
      firstSends: await this.firstSends(tx, changes),
      reactions: await this.reactions(tx, changes),
    };
  }

  /** By message: the members who came after it, in rooms that show newcomers nothing older. They do not get its changes. */
  async newcomersAfter({ manager }: Transaction, messages: TargetState[]): Promise<Map<string, string[]>> {
    if (messages.length === 0) return new Map();
    const rows = await manager.query<{ id: string; users: string[] }[]>(
      `SELECT w.id, array_agg(m.user_id) AS users
         FROM unnest($1::uuid[], $2::text[], $3::int[]) AS w(id, room_id, seq)
         JOIN room_members m ON m.room_id = w.room_id AND m.history_from_seq >= w.seq
        GROUP BY w.id`,
      [messages.map(({ id }) => id), messages.map(({ roomId }) => roomId), messages.map(({ seq }) => seq)],
    );
    return new Map(rows.map(({ id, users }) => [id, users]));
  }

  /**
   * The actors and, for sends, those they mention, in their rooms; which of them are suspended or administrators; and the version of the
   * rules for what they write.
   */
  private async people(
    { manager }: Transaction,
    changes: MessageChange[],
  ): Promise<Pick<LedgerState, 'members' | 'suspended' | 'administrators' | 'filterVersion'>> {
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
        suspended: boolean;
        administrator: boolean;
        /** null: no member. */
        role: MemberRole | null;
        name: string;
        avatar_url: string | null;
        last_sent_at: Date | null;
        history_from_seq: number;
        restriction_scope: string | null;
        restriction_kind: RestrictionKind | null;
        restricted_until: Date | null;
        filter_version: number;
      }[]
    >(
      `SELECT w.room_id, w.user_id, u.suspended_at IS NOT NULL AS suspended, u.role = 'admin' AS administrator,
              m.role, u.name, u.avatar_url, m.last_sent_at, m.history_from_seq,
              x.scope AS restriction_scope, x.kind AS restriction_kind, x.until AS restricted_until,
              (SELECT version FROM filter_rule_set) AS filter_version
         FROM unnest($1::text[], $2::text[]) AS w(room_id, user_id)
         JOIN users u ON u.id = w.user_id
         LEFT JOIN room_members m ON m.room_id = w.room_id AND m.user_id = w.user_id
         LEFT JOIN LATERAL (
           SELECT r.scope, r.kind, r.until FROM restrictions r
            WHERE r.user_id = w.user_id AND r.scope IN (w.room_id, $3) AND (r.until IS NULL OR r.until > clock_timestamp())
            ORDER BY r.kind = 'ban' DESC, r.until DESC NULLS FIRST LIMIT 1
         ) x ON true`,
      [wanted.map(([roomId]) => roomId), wanted.map(([, userId]) => userId), EVERYWHERE],
    );
    const members = new Map<string, MemberState>();
    for (const { role, ...row } of rows)
      if (role !== null)
        members.set(pairKey(row.room_id, row.user_id), {
          roomId: row.room_id,
          userId: row.user_id,
          role,
          name: row.name,
          avatarUrl: row.avatar_url,
          lastSentAt: row.last_sent_at,
          historyFromSeq: row.history_from_seq,
          restriction: restrictionOf(row),
        });
    return {
      members,
      suspended: new Set(rows.filter(({ suspended }) => suspended).map((row) => row.user_id)),
      administrators: new Set(rows.filter(({ administrator }) => administrator).map((row) => row.user_id)),
      filterVersion: members.size > 0 ? rows[0]?.filter_version : undefined,
    };
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
}

function restrictionOf(row: {
  restriction_scope: string | null;
  restriction_kind: RestrictionKind | null;
  restricted_until: Date | null;
}): ActiveRestriction | null {
  const { restriction_scope: scope, restriction_kind: kind, restricted_until: until } = row;
  return scope === null || kind === null ? null : { scope, kind, until };
}

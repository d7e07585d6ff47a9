import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { NotificationFilter, NotificationKind } from '../contract/notifications.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import type { NotificationRow } from './notification.view.js';

/** The place of a notification in the order of its list. */
export interface NotificationKey {
  createdAt: Date;
  id: string;
}

/** What a notification has to agree in with what would make it grow. */
export interface GrowthKey {
  userId: string;
  roomId: string;
  threadId: string | null;
  kind: NotificationKind;
}

/** A row as it is written: the version it came or grew with is its inbox's. */
export interface WrittenRow extends NotificationRow {
  grownVersion: number;
}

const COLUMNS = `n.id, n.user_id AS "userId", n.kind, n.title, n.body, n.room_id AS "roomId", n.message_id AS "messageId",
  n.seq, n.thread_id AS "threadId", n.actor_id AS "actorId", u.name AS "actorName", u.avatar_url AS "actorAvatarUrl",
  n.url, n.count, n.silent, n.created_at AS "createdAt", n.updated_at AS "updatedAt", n.read_at AS "readAt",
  n.archived_at AS "archivedAt"`;

const FILTERS: Record<NotificationFilter, string> = {
  all: 'x.archived_at IS NULL',
  unread: 'x.archived_at IS NULL AND x.read_at IS NULL',
  archived: 'x.archived_at IS NOT NULL',
};

/** Announcements as the inbox of user `$1` shows them, in the columns of `notifications`. */
const ANNOUNCEMENTS = `
  SELECT a.id, u.id AS user_id, 'announcement' AS kind, a.title, a.body, NULL::text AS room_id, NULL::uuid AS message_id,
         NULL::int AS seq, NULL::uuid AS thread_id, a.from_id AS actor_id, NULL::text AS url, 1 AS count,
         false AS silent, a.serial AS grown_version, a.created_at, a.created_at AS updated_at, s.read_at, s.archived_at
    FROM announcements a
    JOIN users u ON u.id = $1 AND u.created_at <= a.created_at
    LEFT JOIN notification_inboxes i ON i.user_id = u.id
    LEFT JOIN announcement_states s ON s.user_id = u.id AND s.announcement_id = a.id
   WHERE coalesce((i.kinds -> 'announcement' ->> 'inApp')::boolean, true)`;

const OWN = `
  SELECT id, user_id, kind, title, body, room_id, message_id, seq, thread_id, actor_id, url, count, silent, grown_version,
         created_at, updated_at, read_at, archived_at
    FROM notifications WHERE user_id = $1`;

/** The room of notification `x` may still speak: its user is a member and has not silenced it. */
const AUDIBLE = `
  SELECT FROM room_members m
   WHERE m.room_id = x.room_id AND m.user_id = x.user_id AND m.notify_level IS DISTINCT FROM 'none'
     AND (m.notify_muted_until IS NULL OR m.notify_muted_until <= clock_timestamp())`;

/** The table `notifications`, and the list in which announcements stand among them. */
@Injectable()
export class NotificationsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Newest first, from behind `before`. */
  list(
    userId: string,
    filter: NotificationFilter,
    before: NotificationKey | undefined,
    limit: number,
  ): Promise<NotificationRow[]> {
    const page = (rows: string) =>
      `(SELECT x.* FROM (${rows}) x WHERE ${FILTERS[filter]} AND ($2::timestamptz IS NULL OR (x.created_at, x.id) < ($2, $3::uuid))
         ORDER BY x.created_at DESC, x.id DESC LIMIT $4)`;
    return this.dataSource.query<NotificationRow[]>(
      `SELECT ${COLUMNS} FROM (${page(OWN)} UNION ALL ${page(ANNOUNCEMENTS)}) n LEFT JOIN users u ON u.id = n.actor_id
        ORDER BY n.created_at DESC, n.id DESC LIMIT $4`,
      [userId, before?.createdAt ?? null, before?.id ?? null, limit],
    );
  }

  async find(userId: string, id: string): Promise<NotificationRow | undefined> {
    const [row] = await this.dataSource.query<NotificationRow[]>(
      `SELECT ${COLUMNS} FROM (${OWN} AND id = $2 UNION ALL ${ANNOUNCEMENTS} AND a.id = $2) n
         LEFT JOIN users u ON u.id = n.actor_id`,
      [userId, id],
    );
    return row;
  }

  /** Those of these ids that are still there. */
  byIds(
    ids: readonly string[],
    manager: EntityManager = this.dataSource.manager,
  ): Promise<NotificationRow[]> {
    return manager.query<NotificationRow[]>(
      `SELECT ${COLUMNS} FROM notifications n LEFT JOIN users u ON u.id = n.actor_id WHERE n.id = ANY($1::uuid[])`,
      [ids],
    );
  }

  /** For each key the unread notification that grew last, if that was after `since`. The inboxes are locked. */
  growing({ manager }: Transaction, keys: readonly GrowthKey[], since: Date): Promise<NotificationRow[]> {
    return manager.query<NotificationRow[]>(
      `SELECT DISTINCT ON (n.user_id, n.room_id, n.thread_id, n.kind) ${COLUMNS}
         FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[]) AS w(user_id, room_id, thread_id, kind)
         JOIN notifications n ON n.user_id = w.user_id AND n.room_id = w.room_id AND n.kind = w.kind
              AND n.thread_id IS NOT DISTINCT FROM w.thread_id
         LEFT JOIN users u ON u.id = n.actor_id
        WHERE n.read_at IS NULL AND n.updated_at > $5
        ORDER BY n.user_id, n.room_id, n.thread_id, n.kind, n.updated_at DESC`,
      [
        keys.map(({ userId }) => userId),
        keys.map(({ roomId }) => roomId),
        keys.map(({ threadId }) => threadId),
        keys.map(({ kind }) => kind),
        since,
      ],
    );
  }

  async insert({ manager }: Transaction, rows: readonly WrittenRow[]): Promise<void> {
    if (rows.length === 0) return;
    await manager.query(
      `INSERT INTO notifications (id, user_id, kind, title, body, room_id, message_id, seq, thread_id, actor_id, url, count,
                                  silent, grown_version, created_at, updated_at)
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::int[],
                            $9::uuid[], $10::text[], $11::text[], $12::int[], $13::bool[], $14::int[],
                            $15::timestamptz[], $16::timestamptz[])`,
      [
        rows.map(({ id }) => id),
        rows.map(({ userId }) => userId),
        rows.map(({ kind }) => kind),
        rows.map(({ title }) => title),
        rows.map(({ body }) => body),
        rows.map(({ roomId }) => roomId),
        rows.map(({ messageId }) => messageId),
        rows.map(({ seq }) => seq),
        rows.map(({ threadId }) => threadId),
        rows.map(({ actorId }) => actorId),
        rows.map(({ url }) => url),
        rows.map(({ count }) => count),
        rows.map(({ silent }) => silent),
        rows.map(({ grownVersion }) => grownVersion),
        rows.map(({ createdAt }) => createdAt),
        rows.map(({ updatedAt }) => updatedAt),
      ],
    );
  }

  /** Those that grew. */
  async grow({ manager }: Transaction, rows: readonly WrittenRow[]): Promise<void> {
    if (rows.length === 0) return;
    await manager.query(
      `UPDATE notifications n
          SET title = w.title, body = w.body, message_id = w.message_id, seq = w.seq, actor_id = w.actor_id,
              count = w.count, silent = w.silent, grown_version = w.grown_version, updated_at = w.updated_at
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::int[], $6::text[], $7::int[], $8::bool[],
                     $9::int[], $10::timestamptz[])
           AS w(id, title, body, message_id, seq, actor_id, count, silent, grown_version, updated_at)
        WHERE n.id = w.id`,
      [
        ...shown(rows),
        rows.map(({ silent }) => silent),
        rows.map(({ grownVersion }) => grownVersion),
        rows.map(({ updatedAt }) => updatedAt),
      ],
    );
  }

  /** Those that tell of fewer messages than before. */
  async shrink({ manager }: Transaction, rows: readonly NotificationRow[]): Promise<void> {
    if (rows.length === 0) return;
    await manager.query(
      `UPDATE notifications n
          SET title = w.title, body = w.body, message_id = w.message_id, seq = w.seq, actor_id = w.actor_id, count = w.count
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::int[], $6::text[], $7::int[])
           AS w(id, title, body, message_id, seq, actor_id, count)
        WHERE n.id = w.id`,
      shown(rows),
    );
  }

  async remove({ manager }: Transaction, ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await manager.query('DELETE FROM notifications WHERE id = ANY($1::uuid[])', [ids]);
  }

  /** The unread ones among these; which they were. The inbox is locked. */
  async read(
    { manager }: Transaction,
    userId: string,
    ids: readonly string[],
    readAt: Date,
  ): Promise<string[]> {
    const [rows] = await manager.query<[{ id: string }[], number]>(
      `UPDATE notifications SET read_at = $3
        WHERE user_id = $1 AND read_at IS NULL AND id = ANY($2::uuid[]) RETURNING id`,
      [userId, ids, readAt],
    );
    return rows.map(({ id }) => id);
  }

  /** Of the unread ones that were made until `readAt` and grew with this version or a later one, so many; the version of each. */
  async readMany(
    { manager }: Transaction,
    userId: string,
    readAt: Date,
    fromVersion: number,
    limit: number,
  ): Promise<number[]> {
    const [rows] = await manager.query<[{ grownVersion: number }[], number]>(
      `UPDATE notifications t SET read_at = $2
         FROM (SELECT id FROM notifications
                WHERE user_id = $1 AND read_at IS NULL AND created_at <= $2 AND grown_version >= $3
                ORDER BY grown_version LIMIT $4) w
        WHERE t.id = w.id RETURNING t.grown_version AS "grownVersion"`,
      [userId, readAt, fromVersion, limit],
    );
    return rows.map(({ grownVersion }) => grownVersion);
  }

  async archive(
    { manager }: Transaction,
    userId: string,
    ids: readonly string[],
    at: Date,
  ): Promise<string[]> {
    const [rows] = await manager.query<[{ id: string }[], number]>(
      `UPDATE notifications SET archived_at = $3, read_at = coalesce(read_at, $3)
        WHERE user_id = $1 AND id = ANY($2::uuid[]) AND archived_at IS NULL RETURNING id`,
      [userId, ids, at],
    );
    return rows.map(({ id }) => id);
  }

  /** Of these kinds what is unread and unseen, and came or grew since then, of rooms that may speak; the newest first. */
  unseen(
    userId: string,
    kinds: readonly NotificationKind[],
    since: Date,
    limit: number,
  ): Promise<NotificationRow[]> {
    return this.dataSource.query<NotificationRow[]>(
      `SELECT ${COLUMNS} FROM (
         (SELECT x.* FROM (${OWN}) x
           WHERE x.kind = ANY($2) AND x.read_at IS NULL AND x.updated_at > $3
             AND x.grown_version > (SELECT seen_version FROM notification_inboxes WHERE user_id = $1)
             AND (x.room_id IS NULL OR EXISTS (${AUDIBLE}))
           ORDER BY x.grown_version DESC LIMIT $4)
         UNION ALL
         (SELECT x.* FROM (${ANNOUNCEMENTS}) x
           WHERE x.kind = ANY($2) AND x.read_at IS NULL AND x.updated_at > $3
             AND x.grown_version > coalesce((SELECT seen_announcement FROM notification_inboxes WHERE user_id = $1), 0)
           ORDER BY x.created_at DESC LIMIT $4)) n
         LEFT JOIN users u ON u.id = n.actor_id
        ORDER BY n.updated_at DESC, n.id DESC LIMIT $4`,
      [userId, kinds, since, limit],
    );
  }
}

/** What a notification shows of its newest message, column by column. */
function shown(rows: readonly NotificationRow[]): unknown[][] {
  return [
    rows.map(({ id }) => id),
    rows.map(({ title }) => title),
    rows.map(({ body }) => body),
    rows.map(({ messageId }) => messageId),
    rows.map(({ seq }) => seq),
    rows.map(({ actorId }) => actorId),
    rows.map(({ count }) => count),
  ];
}

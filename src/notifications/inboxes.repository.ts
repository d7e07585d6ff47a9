import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CONTRACT_LIMITS } from '../contract/limits.js';
import type { NotificationCounts, QuietHours } from '../contract/notifications.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { sqlStateOf } from '../platform/errors/database-error.js';
import type { KindSettings } from './notification-inbox.entity.js';

/** A locked inbox. */
export interface Inbox {
  userId: string;
  version: number;
  kinds: KindSettings | null;
  quietHours: QuietHours | null;
}

/** The inboxes a transaction has locked, and the time by the clock of the database since it has. */
export interface LockedInboxes {
  now: Date;
  of(userId: string): Inbox;
}

type LockedRow = Inbox & { now: Date };

/** Somebody else has locked some of these inboxes for longer than was worth waiting. */
export class InboxesHeld extends Error {
  constructor(
    readonly userIds: readonly string[],
    cause: unknown,
  ) {
    super('Inboxes stay locked', { cause });
  }
}

const LOCK_NOT_AVAILABLE = '55P03';
const SHORT_WAIT = '200ms';

export interface InboxCounts extends NotificationCounts {
  userId: string;
  /** The rooms its newest unread notifications tell of. */
  unreadRooms: string[];
}

const AT_MOST = String(CONTRACT_LIMITS.unreadExact + 1);
const INBOX = `user_id AS "userId", version, kinds, quiet_hours AS "quietHours"`;

/** The table `notification_inboxes`, and what is derived of an inbox as a whole. */
@Injectable()
export class InboxesRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Locks the inboxes of these users in the order of their ids, and makes those that are not there yet. */
  async lock(tx: Transaction, userIds: readonly string[]): Promise<LockedInboxes> {
    const wanted = [...new Set(userIds)];
    await this.makeMissing(tx, wanted, '0');
    return lockedInboxes(await this.select(tx, wanted, 'FOR UPDATE'));
  }

  /** The same for those who work for many users at once, and must not wait long for one of them: throws `InboxesHeld`. */
  async lockSoon(tx: Transaction, userIds: readonly string[]): Promise<LockedInboxes> {
    const wanted = [...new Set(userIds)];
    if (wanted.length === 0) return lockedInboxes([], await clock(tx));
    await this.makeMissing(tx, wanted, SHORT_WAIT);
    const free = await this.select(tx, wanted, 'FOR UPDATE SKIP LOCKED');
    if (free.length === wanted.length) return lockedInboxes(free);
    const there = new Set(free.map(({ userId }) => userId));
    const others = wanted.filter((userId) => !there.has(userId));
    try {
      // Out of order. Two that wait for each other give up before the database would call it a deadlock.
      return lockedInboxes([...free, ...(await this.select(tx, others, 'FOR UPDATE'))]);
    } catch (error) {
      throw sqlStateOf(error) === LOCK_NOT_AVAILABLE ? new InboxesHeld(others, error) : error;
    }
  }

  /** Before any is locked: who waits for somebody else's new inbox must not keep others waiting for an old one. */
  private async makeMissing({ manager }: Transaction, userIds: string[], wait: string): Promise<void> {
    await manager.query(
      // LATERAL: how long to wait is set before there is anything to wait for, in the same round trip.
      `INSERT INTO notification_inboxes (user_id)
       SELECT u.id FROM (SELECT set_config('lock_timeout', $2, true) AS value) lock_timeout,
              LATERAL (SELECT id FROM users WHERE id = ANY($1) AND lock_timeout.value IS NOT NULL ORDER BY id) u
           ON CONFLICT DO NOTHING`,
      [userIds, wait],
    );
  }

  /** From outside the clock is read when each is locked, not before. */
  private async select(tx: Transaction, userIds: string[], how: string): Promise<LockedRow[]> {
    const rows = await tx.manager.query<(LockedRow & { xid: string })[]>(
      `SELECT i.*, clock_timestamp() AS now, pg_current_xact_id()::text AS xid
         FROM (SELECT ${INBOX} FROM notification_inboxes WHERE user_id = ANY($1) ORDER BY user_id ${how}) i`,
      [userIds],
    );
    // Read here, it costs no further statement.
    tx.xid ??= rows[0]?.xid;
    return rows;
  }

  /** The next version of each of these locked inboxes. */
  async changed({ manager }: Transaction, userIds: readonly string[]): Promise<void> {
    await manager.query('UPDATE notification_inboxes SET version = version + 1 WHERE user_id = ANY($1)', [
      userIds,
    ]);
  }

  /** Everything that is there is seen. False when it was. */
  async see({ manager }: Transaction, userId: string): Promise<boolean> {
    const [, changed] = await manager.query<[unknown[], number]>(
      `UPDATE notification_inboxes i
          SET version = i.version + 1, seen_version = i.version + 1, seen_announcement = a.serial
         FROM (SELECT coalesce(max(serial), 0) AS serial FROM announcements) a
        WHERE i.user_id = $1 AND (i.seen_version < i.version OR i.seen_announcement < a.serial)`,
      [userId],
    );
    return changed > 0;
  }

  async readAnnouncementsUntil({ manager }: Transaction, userId: string, until: Date): Promise<void> {
    await manager.query('UPDATE notification_inboxes SET announcements_read_until = $2 WHERE user_id = $1', [
      userId,
      until,
    ]);
  }

  async setKinds({ manager }: Transaction, userId: string, kinds: KindSettings): Promise<void> {
    await manager.query('UPDATE notification_inboxes SET kinds = $2 WHERE user_id = $1', [
      userId,
      JSON.stringify(kinds),
    ]);
  }

  async setQuietHours({ manager }: Transaction, userId: string, hours: QuietHours | null): Promise<void> {
    await manager.query('UPDATE notification_inboxes SET quiet_hours = $2 WHERE user_id = $1', [
      userId,
      hours === null ? null : JSON.stringify(hours),
    ]);
  }

  /** What they prefer; users without an inbox, who have set nothing, are left out. */
  settings(userIds: readonly string[], tx?: Transaction): Promise<Inbox[]> {
    const manager = tx?.manager ?? this.dataSource.manager;
    return manager.query<Inbox[]>(`SELECT ${INBOX} FROM notification_inboxes WHERE user_id = ANY($1)`, [
      userIds,
    ]);
  }

  /** Derived from what is there, each number bounded by one index range. Of one snapshot with the version. */
  async counts(userIds: readonly string[]): Promise<InboxCounts[]> {
    return this.dataSource.query<InboxCounts[]>(
      `SELECT u.id AS "userId", (coalesce(i.version, 0) + newest.serial)::float8 AS version,
              least(n.unread + a.unread, ${AT_MOST})::int AS unread,
              least(s.unseen + a.unseen, ${AT_MOST})::int AS unseen, n.rooms AS "unreadRooms"
         FROM users u
         LEFT JOIN notification_inboxes i ON i.user_id = u.id
        CROSS JOIN (SELECT coalesce(max(serial), 0) AS serial FROM announcements) newest
        CROSS JOIN LATERAL (
          SELECT count(*) AS unread, array_remove(array_agg(DISTINCT x.room_id), NULL) AS rooms FROM (
            SELECT room_id FROM notifications WHERE user_id = u.id AND read_at IS NULL
             ORDER BY grown_version DESC LIMIT ${AT_MOST}) x) n
        CROSS JOIN LATERAL (
          SELECT count(*) AS unseen FROM (
            SELECT FROM notifications
             WHERE user_id = u.id AND read_at IS NULL AND grown_version > coalesce(i.seen_version, 0)
             ORDER BY grown_version DESC LIMIT ${AT_MOST}) x) s
        CROSS JOIN LATERAL (
          SELECT count(*) AS unread, count(*) FILTER (WHERE x.serial > coalesce(i.seen_announcement, 0)) AS unseen FROM (
            SELECT b.serial FROM announcements b
              LEFT JOIN announcement_states t ON t.user_id = u.id AND t.announcement_id = b.id
             WHERE b.created_at >= u.created_at AND t.read_at IS NULL
               AND (i.announcements_read_until IS NULL OR b.created_at > i.announcements_read_until)
               AND coalesce((i.kinds -> 'announcement' ->> 'inApp')::boolean, true)
             ORDER BY b.created_at DESC, b.id DESC LIMIT ${AT_MOST}) x) a
        WHERE u.id = ANY($1)`,
      [userIds],
    );
  }
}

async function clock({ manager }: Transaction): Promise<Date> {
  const [row] = await manager.query<{ now: Date }[]>('SELECT clock_timestamp() AS now');
  return row?.now ?? new Date();
}

/** Without `now`: when the last of them was locked. */
function lockedInboxes(rows: LockedRow[], now = lastOf(rows)): LockedInboxes {
  const inboxes = new Map(rows.map((row) => [row.userId, row]));
  return {
    now,
    of(userId) {
      const inbox = inboxes.get(userId);
      if (!inbox) throw new Error('This inbox was not locked');
      return inbox;
    },
  };
}

const lastOf = (rows: LockedRow[]) =>
  new Date(rows.reduce((latest, { now }) => Math.max(latest, now.getTime()), 0));

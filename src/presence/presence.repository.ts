import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { CONTRACT_LIMITS } from '../contract/limits.js';
import type { OwnStatus } from '../contract/presence.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import type { OwnChoice } from './presence.view.js';

/** A user with what is stored of their presence. */
export interface StoredPresence {
  userId: string;
  username: string;
  own: OwnChoice;
  /** In ms since the epoch. */
  lastSeenAt: number | undefined;
}

interface Row {
  id: string;
  username: string;
  status: OwnStatus;
  text: string | null;
  until: Date | null;
  version: number;
  last_seen_at: Date | null;
}

/**
 * What is over counts no more, by the clock of the database: nothing is written for that. The version of the former
 * choice lies between that of the one that is over and the next.
 */
const SELECT = `
  SELECT u.id, u.username,
         CASE WHEN s.user_id IS NULL THEN 'online' WHEN s.until <= now() THEN s.former_status ELSE s.status END AS status,
         CASE WHEN s.until <= now() THEN s.former_text ELSE s.text END AS text,
         CASE WHEN s.until > now() THEN s.until END AS until,
         COALESCE(s.version * 2 + CASE WHEN s.until <= now() THEN 1 ELSE 0 END, 0) AS version,
         s.last_seen_at
    FROM users u LEFT JOIN presence_settings s ON s.user_id = u.id`;

/** Whether two people share a room that is small enough. `$1` and `o.user_id`: the two. */
const SHARING = `
  SELECT o.user_id
    FROM room_members m
    JOIN rooms r ON r.id = m.room_id AND r.member_count <= ${String(CONTRACT_LIMITS.presenceMembers)}
    JOIN room_members o ON o.room_id = m.room_id
   WHERE m.user_id = $1`;

/** The table `presence_settings`, and who may see whom. */
@Injectable()
export class PresenceRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Those of these users there are. */
  async read(
    userIds: readonly string[],
    manager: EntityManager = this.dataSource.manager,
  ): Promise<StoredPresence[]> {
    return (await manager.query<Row[]>(`${SELECT} WHERE u.id = ANY($1)`, [userIds])).map(stored);
  }

  /** Those of these users that the viewer may see: themselves, and who shares a room of at most 1,000 members. */
  async visible(viewerId: string, userIds: readonly string[]): Promise<StoredPresence[]> {
    const rows = await this.dataSource.query<Row[]>(
      `${SELECT} WHERE u.id = ANY($2) AND (u.id = $1 OR u.id IN (${SHARING} AND o.user_id = ANY($2)))`,
      [viewerId, userIds],
    );
    return rows.map(stored);
  }

  /** Those of these users who share a room with the user. */
  async sharing(userId: string, userIds: readonly string[]): Promise<Set<string>> {
    const rows = await this.dataSource.query<{ user_id: string }[]>(
      `SELECT DISTINCT user_id FROM (${SHARING} AND o.user_id = ANY($2)) sharing`,
      [userId, userIds],
    );
    return new Set(rows.map((row) => row.user_id));
  }

  /** The other people of the user's direct rooms, those of the newest rooms first. */
  async directPeople(userId: string, limit: number): Promise<string[]> {
    const rows = await this.dataSource.query<{ user_id: string }[]>(
      `SELECT o.user_id FROM room_members m
         JOIN rooms r ON r.id = m.room_id AND r.type = 'direct'
         JOIN room_members o ON o.room_id = m.room_id AND o.user_id <> m.user_id
        WHERE m.user_id = $1
        GROUP BY o.user_id ORDER BY max(r.created_at) DESC, o.user_id LIMIT $2`,
      [userId, limit],
    );
    return rows.map((row) => row.user_id);
  }

  /** Who is in those of these rooms that are direct. */
  async directMembers(roomIds: readonly string[]): Promise<{ roomId: string; userId: string }[]> {
    return this.dataSource.query(
      `SELECT m.room_id AS "roomId", m.user_id AS "userId"
         FROM rooms r JOIN room_members m ON m.room_id = r.id WHERE r.id = ANY($1) AND r.type = 'direct'`,
      [roomIds],
    );
  }

  /** Replaces the choice. With an end it keeps what comes back then; a choice with an end never comes back. */
  async choose(
    tx: Transaction,
    userId: string,
    { status, text, until }: Pick<OwnChoice, 'status' | 'text' | 'until'>,
  ): Promise<void> {
    await tx.manager.query(
      `INSERT INTO presence_settings AS s (user_id, status, text, until, former_status, version)
       VALUES ($1, $2, $3, $4::timestamptz, CASE WHEN $4::timestamptz IS NOT NULL THEN 'online' END, 1)
       ON CONFLICT (user_id) DO UPDATE SET
         status = excluded.status, text = excluded.text, until = excluded.until,
         former_status = CASE WHEN excluded.until IS NOT NULL THEN COALESCE(s.former_status, s.status) END,
         former_text = CASE WHEN excluded.until IS NULL THEN NULL WHEN s.until IS NULL THEN s.text ELSE s.former_text END,
         version = s.version + 1`,
      [userId, status, text, until],
    );
  }

  /** When these users were last there, in one statement; not of those who were invisible then. */
  async saveLastSeen(tx: Transaction, seen: ReadonlyMap<string, number>): Promise<void> {
    await tx.manager.query(
      `INSERT INTO presence_settings AS s (user_id, last_seen_at)
       SELECT u.id, to_timestamp(seen.at / 1000.0)
         FROM unnest($1::text[], $2::bigint[]) AS seen (user_id, at) JOIN users u ON u.id = seen.user_id
        ORDER BY u.id
       ON CONFLICT (user_id) DO UPDATE SET last_seen_at = GREATEST(s.last_seen_at, excluded.last_seen_at)
        WHERE CASE WHEN s.until <= excluded.last_seen_at THEN s.former_status ELSE s.status END <> 'invisible'`,
      [[...seen.keys()], [...seen.values()]],
    );
  }
}

function stored(row: Row): StoredPresence {
  const { id, username, status, text, until, version, last_seen_at } = row;
  return {
    userId: id,
    username,
    own: { status, text, until, version },
    lastSeenAt: last_seen_at?.getTime(),
  };
}

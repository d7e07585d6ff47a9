import { Injectable } from '@nestjs/common';
import { DataSource, In, type EntityManager } from 'typeorm';
import type { NotifyLevel } from '../contract/notifications.js';
import type { MemberRole, RoomType } from '../contract/views.js';
import { readPrepared } from '../platform/database/transaction-at-once.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { UserEntity } from '../users/user.entity.js';
import { EVERYWHERE } from './restriction.entity.js';
import { RoomMemberEntity } from './room-member.entity.js';
import { RoomEntity } from './room.entity.js';
import type { ShownMember } from './room.view.js';

/** A page of members, and how its reader stood to the room at that moment. */
export interface MembersPage {
  room: Pick<RoomEntity, 'type' | 'memberCount'>;
  /** The page of who is no member is empty. */
  isMember: boolean;
  members: ShownMember[];
}

type MemberRow = { type: RoomType; member_count: number; is_member: boolean } & (
  | {
      user_id: string;
      role: MemberRole;
      last_read_seq: number;
      joined_at: Date;
      username: string;
      name: string;
      avatar_url: string | null;
    }
  | { user_id: null }
);

/** Memberships as rows. Those that write expect the room to be locked. */
@Injectable()
export class MembersRepository {
  constructor(private readonly dataSource: DataSource) {}

  find(
    roomId: string,
    userId: string,
    manager: EntityManager = this.dataSource.manager,
  ): Promise<RoomMemberEntity | null> {
    return manager.findOne(RoomMemberEntity, { where: { roomId, userId }, relations: { user: true } });
  }

  /**
   * Adds those who are not members yet, all caught up with the room, and returns them. With slow mode newcomers wait
   * one interval before their first message: whoever leaves and comes back is not ahead of those who stayed.
   */
  async add(
    tx: Transaction,
    room: RoomEntity,
    members: { userId: string; role: MemberRole }[],
  ): Promise<Set<string>> {
    const result = await tx.manager
      .createQueryBuilder()
      .insert()
      .into(RoomMemberEntity)
      .values(
        members.map((member) => ({
          ...member,
          roomId: room.id,
          lastReadSeq: room.lastSeq,
          historyFromSeq: room.history === 'since_join' ? room.lastSeq : 0,
          ...(room.slowModeSeconds > 0 && { lastSentAt: () => 'clock_timestamp()' }),
        })),
      )
      .orIgnore()
      .returning('user_id')
      .execute();
    const added = new Set((result.raw as { user_id: string }[]).map((row) => row.user_id));
    if (added.size > 0) await tx.manager.increment(RoomEntity, { id: room.id }, 'memberCount', added.size);
    return added;
  }

  async remove(tx: Transaction, roomId: string, userId: string): Promise<void> {
    const { affected } = await tx.manager.delete(RoomMemberEntity, { roomId, userId });
    if (affected) await tx.manager.decrement(RoomEntity, { id: roomId }, 'memberCount', affected);
  }

  async setRole(tx: Transaction, roomId: string, userId: string, role: MemberRole): Promise<void> {
    await tx.manager.update(RoomMemberEntity, { roomId, userId }, { role });
  }

  countOwners(tx: Transaction, roomId: string): Promise<number> {
    return tx.manager.countBy(RoomMemberEntity, { roomId, role: 'owner' });
  }

  /** The member next in rank, then in time; only when there are no others one who is suspended, or banned everywhere. */
  async heir({ manager }: Transaction, roomId: string): Promise<string | undefined> {
    const [heir] = await manager.query<{ user_id: string }[]>(
      `SELECT m.user_id FROM room_members m JOIN users u ON u.id = m.user_id
        WHERE m.room_id = $1
        ORDER BY u.suspended_at IS NOT NULL OR EXISTS (
                   SELECT FROM restrictions r
                    WHERE r.user_id = m.user_id AND r.scope = $2 AND r.kind = 'ban'
                      AND (r.until IS NULL OR r.until > clock_timestamp())),
                 m.role = 'admin' DESC, m.joined_at, m.user_id
        LIMIT 1`,
      [roomId, EVERYWHERE],
    );
    return heir?.user_id;
  }

  /** A page by user id, with the question whether the reader may see it; `undefined` when there is no such room. */
  async page(
    { roomId, readerId, after }: { roomId: string; readerId: string; after: string },
    limit: number,
  ): Promise<MembersPage | undefined> {
    const rows = await readPrepared<MemberRow>(this.dataSource, {
      name: 'room-members',
      text: `SELECT reader.*, page.*
               FROM (SELECT r.type, r.member_count, me.user_id IS NOT NULL AS is_member
                       FROM rooms r LEFT JOIN room_members me ON me.room_id = r.id AND me.user_id = $2
                      WHERE r.id = $1) reader
               LEFT JOIN LATERAL (
                 SELECT m.user_id, m.role, m.last_read_seq, m.joined_at, u.username, u.name, u.avatar_url
                   FROM (SELECT * FROM room_members x
                          WHERE x.room_id = $1 AND x.user_id > $3 AND reader.is_member
                          ORDER BY x.user_id LIMIT $4) m
                   JOIN users u ON u.id = m.user_id) page ON true
              ORDER BY page.user_id`,
      values: [roomId, readerId, after, limit],
    });
    const [first] = rows;
    if (!first) return undefined;
    return {
      room: { type: first.type, memberCount: first.member_count },
      isMember: first.is_member,
      members: rows.flatMap((row) => (row.user_id === null ? [] : shownMember(row))),
    };
  }

  async userIds(roomId: string, limit: number): Promise<string[]> {
    const members = await this.dataSource.manager.find(RoomMemberEntity, {
      select: { userId: true },
      where: { roomId },
      order: { userId: 'ASC' },
      take: limit,
    });
    return members.map(({ userId }) => userId);
  }

  /** Owners and admins: the few whose view of the room differs from everybody else's. */
  staff(roomId: string): Promise<RoomMemberEntity[]> {
    return this.dataSource.manager.findBy(RoomMemberEntity, { roomId, role: In(['owner', 'admin']) });
  }

  /** False when there is no such membership. What is not given stays. */
  async setNotify(
    { manager }: Transaction,
    roomId: string,
    userId: string,
    { level, mutedUntil }: { level?: NotifyLevel; mutedUntil?: string | null },
  ): Promise<boolean> {
    const { affected } = await manager.update(
      RoomMemberEntity,
      { roomId, userId },
      {
        ...(level !== undefined && { notifyLevel: level }),
        ...(mutedUntil !== undefined && {
          notifyMutedUntil: mutedUntil === null ? null : new Date(mutedUntil),
        }),
      },
    );
    return (affected ?? 0) > 0;
  }

  /** The rooms a user has set to another level than is usual, or muted until a time to come. */
  notifySettings(
    { manager }: Transaction,
    userId: string,
  ): Promise<{ roomId: string; level: NotifyLevel; mutedUntil: Date | null }[]> {
    return manager.query(
      `SELECT s."roomId", s.level, s."mutedUntil" FROM (
         SELECT m.room_id AS "roomId", r.type,
                coalesce(m.notify_level, CASE r.type WHEN 'direct' THEN 'all' ELSE 'mentions' END) AS level,
                CASE WHEN m.notify_muted_until > clock_timestamp() THEN m.notify_muted_until END AS "mutedUntil"
           FROM room_members m JOIN rooms r ON r.id = m.room_id
          WHERE m.user_id = $1 AND (m.notify_level IS NOT NULL OR m.notify_muted_until IS NOT NULL)) s
        WHERE s."mutedUntil" IS NOT NULL OR s.level <> CASE s.type WHEN 'direct' THEN 'all' ELSE 'mentions' END
        ORDER BY s."roomId"`,
      [userId],
    );
  }

  /** The users among these ids that exist. */
  users(tx: Transaction, ids: string[]): Promise<UserEntity[]> {
    return tx.manager.find(UserEntity, {
      select: { id: true, username: true, role: true },
      where: { id: In(ids) },
      order: { id: 'ASC' },
    });
  }
}

function shownMember(row: Extract<MemberRow, { user_id: string }>): ShownMember {
  return {
    userId: row.user_id,
    role: row.role,
    lastReadSeq: row.last_read_seq,
    joinedAt: row.joined_at,
    user: { username: row.username, name: row.name, avatarUrl: row.avatar_url },
  };
}

import { Injectable } from '@nestjs/common';
import { DataSource, In, MoreThan, type EntityManager } from 'typeorm';
import type { NotifyLevel } from '../contract/notifications.js';
import type { MemberRole } from '../contract/views.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { UserEntity } from '../users/user.entity.js';
import { EVERYWHERE } from './restriction.entity.js';
import { RoomMemberEntity } from './room-member.entity.js';
import { RoomEntity } from './room.entity.js';

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

  page(roomId: string, after: string, limit: number): Promise<RoomMemberEntity[]> {
    return this.dataSource.manager.find(RoomMemberEntity, {
      where: { roomId, userId: MoreThan(after) },
      relations: { user: true },
      order: { userId: 'ASC' },
      take: limit,
    });
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

import { Injectable } from '@nestjs/common';
import { DataSource, In, type EntityManager } from 'typeorm';
import { CONTRACT_LIMITS } from '../contract/limits.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { EVERYWHERE, RestrictionEntity } from './restriction.entity.js';
import { strongest, type ActiveRestriction } from './restrictions.policy.js';
import { RoomMemberEntity } from './room-member.entity.js';
import { RoomEntity } from './room.entity.js';
import type { Membership } from './rooms.policy.js';

/** How direct rooms are called by those who are in them. */
export interface DirectNames {
  of(member: { roomId: string; userId: string }): string | undefined;
}

/** A room as somebody stands to it. */
export interface Standing {
  room: RoomEntity;
  member: RoomMemberEntity | null;
  /** The strongest that counts for them there at this moment. */
  restriction: ActiveRestriction | null;
}

/** Rooms as rows, and which rooms a user is in. */
@Injectable()
export class RoomsRepository {
  constructor(private readonly dataSource: DataSource) {}

  find(roomId: string): Promise<RoomEntity | null> {
    return this.dataSource.manager.findOneBy(RoomEntity, { id: roomId });
  }

  /** The room with the user's membership and restriction, if there are any. Inside a unit of work, pass it. */
  async findFor(
    userId: string,
    roomId: string,
    manager: EntityManager = this.dataSource.manager,
  ): Promise<Standing | null> {
    // One statement: nearly every command begins with it.
    const room = await manager
      .createQueryBuilder(RoomEntity, 'room')
      .leftJoinAndMapOne(
        'room.member',
        RoomMemberEntity,
        'member',
        'member.roomId = room.id AND member.userId = :userId',
        { userId },
      )
      .leftJoinAndMapMany(
        'room.restrictions',
        RestrictionEntity,
        'restriction',
        `restriction.userId = :userId AND restriction.scope IN (room.id, :everywhere)
         AND (restriction.until IS NULL OR restriction.until > clock_timestamp())`,
        { everywhere: EVERYWHERE },
      )
      .where('room.id = :roomId', { roomId })
      .getOne();
    if (!room) return null;
    const { member, restrictions } = room as unknown as {
      member: RoomMemberEntity | null;
      restrictions: RestrictionEntity[];
    };
    return { room, member, restriction: strongest(restrictions) };
  }

  /** The memberships of these people in one room; who is none of its members is left out. */
  async membershipsIn(roomId: string, userIds: string[]): Promise<Membership[]> {
    const members = await this.dataSource.manager.find(RoomMemberEntity, {
      where: { roomId, userId: In(userIds) },
      relations: { room: true },
    });
    return members.map((member) => ({ room: member.room, member }));
  }

  /** From here on a statement that waits longer than this for anybody's lock fails with 55P03. */
  async limitLockWaits(tx: Transaction, ms: number): Promise<void> {
    await tx.manager.query(`SET LOCAL lock_timeout = ${String(ms)}`);
  }

  /** Takes the room's lock for the rest of the transaction. Only inside `RoomTurns`. */
  lock(tx: Transaction, roomId: string): Promise<RoomEntity | null> {
    return tx.manager.findOne(RoomEntity, { where: { id: roomId }, lock: { mode: 'pessimistic_write' } });
  }

  /** False when the id, or the set of people of a direct room, is taken. */
  async insert(
    tx: Transaction,
    room: Partial<RoomEntity> & Pick<RoomEntity, 'id' | 'type'>,
  ): Promise<boolean> {
    const result = await tx.manager
      .createQueryBuilder()
      .insert()
      .into(RoomEntity)
      .values({ ...room })
      .orIgnore()
      .returning('id')
      .execute();
    return (result.raw as unknown[]).length > 0;
  }

  async update(tx: Transaction, roomId: string, change: Partial<RoomEntity>): Promise<void> {
    if (Object.keys(change).length > 0) await tx.manager.update(RoomEntity, { id: roomId }, change);
  }

  /** Sets it to this moment by the clock of the database, or clears it. */
  async setTime(
    tx: Transaction,
    roomId: string,
    column: 'frozenAt' | 'archivedAt',
    on: boolean,
  ): Promise<Date | null> {
    const result = await tx.manager
      .createQueryBuilder()
      .update(RoomEntity)
      .set({ [column]: on ? () => 'clock_timestamp()' : null })
      .where({ id: roomId })
      .returning('frozen_at AS "frozenAt", archived_at AS "archivedAt"')
      .execute();
    const [row] = result.raw as [Pick<RoomEntity, 'frozenAt' | 'archivedAt'>];
    return row[column];
  }

  findDirect(tx: Transaction, directKey: string): Promise<RoomEntity | null> {
    return tx.manager.findOneBy(RoomEntity, { directKey });
  }

  /** The user's memberships by room id, after a key. */
  async pageOf(userId: string, after: string, limit: number): Promise<Membership[]> {
    const query = this.dataSource.manager
      .createQueryBuilder(RoomMemberEntity, 'member')
      .innerJoinAndSelect('member.room', 'room');
    // The page first, then what belongs to it. `take` would be two statements, the first of which reads all there are.
    const page = query
      .subQuery()
      .select('own.roomId')
      .from(RoomMemberEntity, 'own')
      .where('own.userId = :userId AND own.roomId > :after')
      .orderBy('own.roomId')
      .limit(limit);
    const members = await query
      .where(`member.userId = :userId AND member.roomId IN ${page.getQuery()}`, { userId, after })
      .orderBy('member.roomId')
      .getMany();
    return members.map((member) => ({ room: member.room, member }));
  }

  async idsOf(userId: string, limit: number): Promise<string[]> {
    const members = await this.dataSource.manager.find(RoomMemberEntity, {
      select: { roomId: true },
      where: { userId },
      order: { roomId: 'ASC' },
      take: limit,
    });
    return members.map(({ roomId }) => roomId);
  }

  async positionsOf(userId: string, roomIds: string[]): Promise<Record<string, number>> {
    const members = await this.dataSource.manager.find(RoomMemberEntity, {
      where: { userId, roomId: In(roomIds) },
      relations: { room: true },
    });
    return Object.fromEntries(members.map(({ room }) => [room.id, room.lastRev]));
  }

  /** For direct rooms: the names of the others, as each of these of their people sees them. */
  async directNames(seen: { roomId: string; userId: string }[]): Promise<DirectNames> {
    const names = new Map<string, string>();
    const key = (roomId: string, userId: string) => `${roomId} ${userId}`;
    if (seen.length > 0) {
      const rows = await this.dataSource.query<{ room_id: string; user_id: string; name: string }[]>(
        // LATERAL with a limit: one room with very many members must not make the planner read all memberships.
        `SELECT w.room_id, w.user_id, others.name
           FROM unnest($1::text[], $2::text[]) AS w(room_id, user_id)
          CROSS JOIN LATERAL (
            SELECT string_agg(u.name, ', ' ORDER BY u.name, u.id) AS name
              FROM (SELECT o.user_id FROM room_members o WHERE o.room_id = w.room_id AND o.user_id <> w.user_id
                     LIMIT ${String(CONTRACT_LIMITS.directMembers)}) o
              JOIN users u ON u.id = o.user_id) others
          WHERE others.name IS NOT NULL`,
        [seen.map(({ roomId }) => roomId), seen.map(({ userId }) => userId)],
      );
      for (const { room_id, user_id, name } of rows) names.set(key(room_id, user_id), name);
    }
    return { of: ({ roomId, userId }) => names.get(key(roomId, userId)) };
  }
}

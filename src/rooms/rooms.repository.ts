import { Injectable } from '@nestjs/common';
import { DataSource, In, MoreThan, type EntityManager } from 'typeorm';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { RoomMemberEntity } from './room-member.entity.js';
import { RoomEntity } from './room.entity.js';
import type { Membership } from './rooms.policy.js';

/** Rooms as rows, and which rooms a user is in. */
@Injectable()
export class RoomsRepository {
  constructor(private readonly dataSource: DataSource) {}

  find(roomId: string): Promise<RoomEntity | null> {
    return this.dataSource.manager.findOneBy(RoomEntity, { id: roomId });
  }

  /** The room with the user's membership, if there is one. Inside a unit of work, pass it. */
  async findFor(
    userId: string,
    roomId: string,
    manager: EntityManager = this.dataSource.manager,
  ): Promise<{ room: RoomEntity; member: RoomMemberEntity | null } | null> {
    const [room, member] = [
      await manager.findOneBy(RoomEntity, { id: roomId }),
      await manager.findOneBy(RoomMemberEntity, { roomId, userId }),
    ];
    return room && { room, member };
  }

  /** Takes the room's lock for the rest of the transaction. */
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

  findDirect(tx: Transaction, directKey: string): Promise<RoomEntity | null> {
    return tx.manager.findOneBy(RoomEntity, { directKey });
  }

  /** The user's memberships by room id, after a key. */
  async pageOf(userId: string, after: string, limit: number): Promise<Membership[]> {
    const members = await this.dataSource.manager.find(RoomMemberEntity, {
      where: { userId, roomId: MoreThan(after) },
      relations: { room: true },
      order: { roomId: 'ASC' },
      take: limit,
    });
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

  /** For direct rooms: the names of the others, as one of their people sees them. */
  async directNames(userId: string, roomIds: string[]): Promise<Map<string, string>> {
    if (roomIds.length === 0) return new Map();
    const rows = await this.dataSource.query<{ room_id: string; name: string }[]>(
      `SELECT m.room_id, string_agg(u.name, ', ' ORDER BY u.name, u.id) AS name
         FROM room_members m JOIN users u ON u.id = m.user_id
        WHERE m.room_id = ANY($1) AND m.user_id <> $2 GROUP BY m.room_id`,
      [roomIds, userId],
    );
    return new Map(rows.map(({ room_id, name }) => [room_id, name]));
  }
}

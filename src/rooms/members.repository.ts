import { Injectable } from '@nestjs/common';
import { DataSource, In, MoreThan, type EntityManager } from 'typeorm';
import type { MemberRole } from '../contract/views.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { UserEntity } from '../users/user.entity.js';
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

  /** The users among these ids that exist. */
  users(tx: Transaction, ids: string[]): Promise<UserEntity[]> {
    return tx.manager.find(UserEntity, {
      select: { id: true, username: true },
      where: { id: In(ids) },
      order: { id: 'ASC' },
    });
  }
}

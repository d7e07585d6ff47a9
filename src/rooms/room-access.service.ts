import { Inject, Injectable } from '@nestjs/common';
import type { Capability } from '../contract/views.js';
import type { Config } from '../platform/config/config.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { ActingAdministrator } from '../users/acting-administrator.service.js';
import { ModerationLock } from './moderation-lock.service.js';
import { assertMayWrite, assertNotBanned } from './restrictions.policy.js';
import type { RoomMemberEntity } from './room-member.entity.js';
import type { RoomEntity } from './room.entity.js';
import {
  assertCapability,
  assertOpenForWriting,
  notInRoom,
  roomNotFound,
  type Membership,
} from './rooms.policy.js';
import { RoomsRepository } from './rooms.repository.js';

/** The first statement of every use case in a room: is the actor in it, and may they? */
@Injectable()
export class RoomAccess {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly rooms: RoomsRepository,
    private readonly moderation: ModerationLock,
    private readonly acting: ActingAdministrator,
  ) {}

  /** FORBIDDEN where only administrators create rooms. Direct rooms are not asked for. */
  assertMayCreate(actor: Actor): void {
    if (this.config.rooms.creation === 'admin' && actor.role !== 'admin')
      throw new AppError('FORBIDDEN', 'Only administrators create rooms here');
  }

  /** NOT_A_MEMBER of an open room, `notFound` of every other, whether it exists or not. */
  async member(actor: Actor, roomId: string, notFound: () => AppError = roomNotFound): Promise<Membership> {
    const found = await this.rooms.findFor(actor.userId, roomId);
    if (!found?.member) throw notInRoom(found?.room, notFound);
    return { room: found.room, member: found.member };
  }

  /** For what is told to the room but not stored: one who may write there, while the room is open. */
  async writer(actor: Actor, roomId: string): Promise<Membership> {
    const found = await this.rooms.findFor(actor.userId, roomId);
    if (!found?.member) throw notInRoom(found?.room);
    assertMayWrite(found.restriction);
    const membership = { room: found.room, member: found.member };
    const { frozenAt, archivedAt } = membership.room;
    assertOpenForWriting({ frozen: frozenAt !== null, archived: archivedAt !== null });
    assertCapability(membership, 'message:send');
    return membership;
  }

  /** A member under the room's lock, for those who go on to change it. */
  async lockedMember(
    tx: Transaction,
    actor: Actor,
    roomId: string,
    capability: Capability,
  ): Promise<Membership> {
    const room = await this.rooms.lock(tx, roomId);
    await this.moderation.hold(tx);
    // Read after the locks are held: what was committed while waiting for them counts.
    const found = await this.rooms.findFor(actor.userId, roomId, tx.manager);
    if (!found?.member) throw notInRoom(room);
    // Nobody is kept in a room.
    if (capability !== 'room:leave') assertNotBanned(found.restriction);
    const membership = { room: found.room, member: found.member };
    assertCapability(membership, capability);
    return membership;
  }

  /** One who may moderate, under the room's lock; without a membership when they may as an administrator. */
  async lockedModerator(
    tx: Transaction,
    actor: Actor,
    roomId: string,
  ): Promise<{ room: RoomEntity; member: RoomMemberEntity | null }> {
    if (actor.role !== 'admin') return this.lockedMember(tx, actor, roomId, 'room:moderate');
    await this.acting.assert(tx, actor);
    const room = await this.rooms.lock(tx, roomId);
    if (!room) throw roomNotFound();
    return { room, member: null };
  }

  /** The rooms a user is a member of, by id. */
  roomIdsOf(actor: Actor, limit: number): Promise<string[]> {
    return this.rooms.idsOf(actor.userId, limit);
  }

  /** One's memberships by room id, after a key. */
  memberships(actor: Actor, after: string, limit: number): Promise<Membership[]> {
    return this.rooms.pageOf(actor.userId, after, limit);
  }
}

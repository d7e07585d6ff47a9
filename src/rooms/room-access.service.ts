import { Injectable } from '@nestjs/common';
import type { Capability } from '../contract/views.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import type { Actor } from '../platform/identity/actor.js';
import { assertCapability, assertOpenForWriting, notInRoom, type Membership } from './rooms.policy.js';
import { RoomsRepository } from './rooms.repository.js';

/** The first statement of every use case in a room: is the actor in it, and may they? */
@Injectable()
export class RoomAccess {
  constructor(private readonly rooms: RoomsRepository) {}

  /** NOT_A_MEMBER of an open room, NOT_FOUND of every other, whether it exists or not. */
  async member(actor: Actor, roomId: string): Promise<Membership> {
    const found = await this.rooms.findFor(actor.userId, roomId);
    if (!found?.member) throw notInRoom(found?.room);
    return { room: found.room, member: found.member };
  }

  /** For what is told to the room but not stored: one who may write there, while the room is open. */
  async writer(actor: Actor, roomId: string): Promise<Membership> {
    const membership = await this.member(actor, roomId);
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
    // Read after the lock is held: what was committed while waiting for it counts.
    const found = await this.rooms.findFor(actor.userId, roomId, tx.manager);
    if (!found?.member) throw notInRoom(room);
    const membership = { room: found.room, member: found.member };
    assertCapability(membership, capability);
    return membership;
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

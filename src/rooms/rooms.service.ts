import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { v7 as uuid } from 'uuid';
import type { CreateRoom, JoinRoom } from '../contract/chat.js';
import { CONTRACT_LIMITS } from '../contract/limits.js';
import type { Room } from '../contract/views.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { Admission, type Wanted } from './admission.js';
import { MembersRepository } from './members.repository.js';
import { RoomAccess } from './room-access.service.js';
import { RoomTurns } from './room-turns.js';
import { RoomViews } from './room-views.service.js';
import type { RoomEntity } from './room.entity.js';
import { assertNotLastOwner, isOpen, roomNotFound } from './rooms.policy.js';
import { RoomsRepository } from './rooms.repository.js';

/** Rooms come to be, are joined and left, and shown. */
@Injectable()
export class RoomsService {
  constructor(
    private readonly turns: RoomTurns,
    private readonly access: RoomAccess,
    private readonly rooms: RoomsRepository,
    private readonly members: MembersRepository,
    private readonly views: RoomViews,
    private readonly admission: Admission,
  ) {}

  async create(actor: Actor, input: CreateRoom): Promise<{ room: Room }> {
    if (input.type !== 'direct') this.access.assertMayCreate(actor);
    const roomId =
      input.type === 'direct' ? await this.createDirect(actor, input) : await this.createNamed(actor, input);
    return { room: await this.show(actor, roomId) };
  }

  /** Makes the actor a member; of a new public room when there is none and a name is given. Joining twice is fine. */
  async join(actor: Actor, { roomId, roomName }: JoinRoom): Promise<void> {
    const known = await this.rooms.findFor(actor.userId, roomId);
    if (known?.member) return;
    if (!known || !isOpen(known.room.type)) {
      // A closed room is answered like none, and first of all: nobody outside it gets to wait for its lock.
      if (roomName === undefined) throw roomNotFound();
      this.access.assertMayCreate(actor);
      if (known) throw roomNotFound();
    }
    await this.turns.run(roomId, async (tx) => {
      if (!known) await this.rooms.insert(tx, { id: roomId, type: 'public', name: roomName ?? null });
      const room = await this.rooms.lock(tx, roomId);
      if (!room || !isOpen(room.type)) throw roomNotFound();
      // Also the one who comes back to an empty room owns it.
      await this.admission.admit(tx, actor, room, [
        { userId: actor.userId, role: room.memberCount === 0 ? 'owner' : 'member' },
      ]);
    });
  }

  async leave(actor: Actor, roomId: string): Promise<void> {
    await this.turns.run(roomId, async (tx) => {
      const { room, member } = await this.access.lockedMember(tx, actor, roomId, 'room:leave');
      if (room.memberCount > 1) assertNotLastOwner(member.role, await this.members.countOwners(tx, roomId));
      await this.admission.endMembership(tx, roomId, { id: actor.userId, username: actor.username }, 'left');
    });
  }

  async show(actor: Actor, roomId: string): Promise<Room> {
    return this.views.showOne(await this.access.member(actor, roomId));
  }

  async positions(actor: Actor, roomIds: string[]): Promise<{ positions: Record<string, number> }> {
    return { positions: await this.rooms.positionsOf(actor.userId, roomIds) };
  }

  private async createNamed(actor: Actor, input: CreateRoom): Promise<string> {
    const { roomId = uuid(), name, type, memberIds = [], history = 'full' } = input;
    if (name === undefined) throw AppError.invalid('name', 'is needed except for direct rooms');
    await this.turns.run(roomId, async (tx) => {
      if (!(await this.rooms.insert(tx, { id: roomId, type, name, history })))
        throw new AppError('CONFLICT', 'The room id is taken');
      const others = memberIds.map((userId, index) => named(userId, index));
      await this.admission.admit(tx, actor, await this.locked(tx, roomId), [
        { userId: actor.userId, role: 'owner' },
        ...others.filter(({ userId }) => userId !== actor.userId),
      ]);
    });
    return roomId;
  }

  private async createDirect(
    actor: Actor,
    { roomId, name, memberIds = [], history = 'full' }: CreateRoom,
  ): Promise<string> {
    if (roomId !== undefined) throw AppError.invalid('roomId', 'is given by the server for direct rooms');
    if (name !== undefined) throw AppError.invalid('name', 'direct rooms have none');
    const people = [...new Set([actor.userId, ...memberIds])].sort();
    if (people.length < 2 || people.length > CONTRACT_LIMITS.directMembers)
      throw AppError.invalid(
        'memberIds',
        `a direct room has 2 to ${String(CONTRACT_LIMITS.directMembers)} people`,
      );
    const directKey = createHash('sha256').update(JSON.stringify(people)).digest('base64url');
    return this.turns.run(directKey, async (tx) => {
      const id = uuid();
      if (!(await this.rooms.insert(tx, { id, type: 'direct', directKey, history }))) {
        const existing = await this.rooms.findDirect(tx, directKey);
        if (!existing) throw new Error('A direct room is taken and not there');
        return existing.id;
      }
      await this.admission.admit(
        tx,
        actor,
        await this.locked(tx, id),
        people.map((userId) => named(userId, memberIds.indexOf(userId))),
      );
      return id;
    });
  }

  private async locked(tx: Transaction, roomId: string): Promise<RoomEntity> {
    const room = await this.rooms.lock(tx, roomId);
    if (!room) throw roomNotFound();
    return room;
  }
}

/** One of `memberIds`. */
function named(userId: string, index: number): Wanted {
  return { userId, role: 'member', path: `memberIds.${String(index)}` };
}

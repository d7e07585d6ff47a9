import { Injectable } from '@nestjs/common';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { assertAdministrator } from '../platform/identity/administrator.js';
import { ActingAdministrator } from '../users/acting-administrator.service.js';
import { MembersRepository } from './members.repository.js';
import { ModerationLock } from './moderation-lock.service.js';
import { RoomAccess } from './room-access.service.js';
import type { RoomMemberEntity } from './room-member.entity.js';
import { RoomTurns } from './room-turns.js';
import type { RoomEntity } from './room.entity.js';
import { assertMayKick } from './rooms.policy.js';

/** Who is to be restricted, and where they stand in the room, if it is about one. */
export interface Restricted {
  room?: RoomEntity;
  member?: RoomMemberEntity | null;
}

type Work<T> = (tx: Transaction, target: Restricted) => Promise<T>;

/**
 * Who may restrict whom, decided under the lock that the act holds: of the room, or of moderation everywhere.
 * Administrators may everywhere; owners and admins of a room in it, and only people of a lower role. Nobody themselves.
 */
@Injectable()
export class RestrictionAuthority {
  constructor(
    private readonly acting: ActingAdministrator,
    private readonly lock: ModerationLock,
    private readonly turns: RoomTurns,
    private readonly access: RoomAccess,
    private readonly members: MembersRepository,
  ) {}

  async over<T>(actor: Actor, of: { userId: string; roomId?: string }, work: Work<T>): Promise<T> {
    const { userId, roomId } = of;
    if (roomId === undefined) assertAdministrator(actor);
    if (userId === actor.userId) throw new AppError('FORBIDDEN', 'Nobody moderates themselves');
    return roomId === undefined
      ? this.everywhere(actor, userId, work)
      : this.inRoom(actor, { userId, roomId }, work);
  }

  private everywhere<T>(actor: Actor, userId: string, work: Work<T>): Promise<T> {
    return this.lock.alone(async (tx) => {
      await this.acting.assert(tx, actor);
      await this.known(tx, userId);
      return work(tx, {});
    });
  }

  private inRoom<T>(
    actor: Actor,
    { userId, roomId }: { userId: string; roomId: string },
    work: Work<T>,
  ): Promise<T> {
    return this.turns.run(roomId, async (tx) => {
      const { room, member: own } = await this.access.lockedModerator(tx, actor, roomId);
      const user = await this.known(tx, userId);
      const member = await this.members.find(roomId, userId, tx.manager);
      // An administrator of the installation stands above everybody in the room, and is not told apart from an owner.
      if (own) assertMayKick(own.role, user.role === 'admin' ? 'owner' : (member?.role ?? 'member'));
      return work(tx, { room, member });
    });
  }

  private async known(tx: Transaction, userId: string) {
    const [user] = await this.members.users(tx, [userId]);
    if (!user) throw new AppError('NOT_FOUND', 'There is no such user');
    return user;
  }
}

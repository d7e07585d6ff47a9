import { Injectable } from '@nestjs/common';
import type { MemberRole } from '../contract/views.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { Outbox } from '../platform/outbox/outbox.js';
import { MembersRepository } from './members.repository.js';
import { ModerationLock } from './moderation-lock.service.js';
import { refusal, strongest } from './restrictions.policy.js';
import { RestrictionsRepository } from './restrictions.repository.js';
import type { RoomEntity } from './room.entity.js';
import { MEMBER_ADDED, MEMBER_LEFT, MemberJoined, MemberLeft, type LeavingReason } from './rooms.events.js';

/** Somebody who is to become a member, and where in the request they were named, if not the actor. */
export interface Wanted {
  userId: string;
  role: MemberRole;
  path?: string;
}

/** How people become members, and how they cease to be, by their own hand or another's. */
@Injectable()
export class Admission {
  constructor(
    private readonly members: MembersRepository,
    private readonly restrictions: RestrictionsRepository,
    private readonly moderation: ModerationLock,
    private readonly outbox: Outbox,
  ) {}

  /**
   * Adds people under the room's lock. Unknown users are refused, and who is banned from the room or everywhere; so is an
   * actor who is, and only they are told why. Members of long standing are left as they are.
   */
  async admit(tx: Transaction, actor: Actor, room: RoomEntity, wanted: Wanted[]): Promise<void> {
    const roles = new Map(wanted.map(({ userId, role }) => [userId, role]));
    const users = await this.members.users(tx, [...roles.keys()]);
    if (users.length < roles.size) throw new AppError('NOT_FOUND', 'There is no such user');
    await this.assertNoneBanned(tx, actor, room, wanted);
    const newcomers = await this.members.add(
      tx,
      room,
      users.map(({ id }) => ({ userId: id, role: roles.get(id) ?? 'member' })),
    );
    const added = users.filter(({ id }) => newcomers.has(id));
    for (const { id, username } of added)
      tx.raise(new MemberJoined(room.id, id, username, id !== actor.userId));
    await this.outbox.append(
      tx,
      MEMBER_ADDED,
      added
        .filter(({ id }) => id !== actor.userId)
        .map(({ id }) => ({ roomId: room.id, userId: id, byUserId: actor.userId })),
    );
  }

  /** Under the room's lock. */
  async endMembership(
    tx: Transaction,
    roomId: string,
    { id, username }: { id: string; username: string },
    reason: LeavingReason,
  ): Promise<void> {
    await this.members.remove(tx, roomId, id);
    await this.outbox.append(tx, MEMBER_LEFT, [{ roomId, userId: id }]);
    tx.raise(new MemberLeft(roomId, id, username, reason));
  }

  private async assertNoneBanned(
    tx: Transaction,
    actor: Actor,
    room: RoomEntity,
    wanted: Wanted[],
  ): Promise<void> {
    await this.moderation.hold(tx);
    const userIds = [actor.userId, ...wanted.map(({ userId }) => userId)];
    const bans = await this.restrictions.bansAmong(tx, room.id, userIds);
    const own = strongest(bans.filter(({ userId }) => userId === actor.userId));
    if (own) throw refusal(own);
    const banned = new Set(bans.map(({ userId }) => userId));
    // From the room or everywhere, until when and why is theirs to know.
    if (banned.size > 0)
      throw new AppError('FORBIDDEN', 'A user cannot be added', {
        details: wanted.flatMap(({ userId, path }) =>
          path !== undefined && banned.has(userId) ? [{ path, problem: 'cannot be added' }] : [],
        ),
      });
  }
}

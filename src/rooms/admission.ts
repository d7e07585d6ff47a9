import { Injectable } from '@nestjs/common';
import type { MemberRole } from '../contract/views.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { Outbox } from '../platform/outbox/outbox.js';
import { MembersRepository } from './members.repository.js';
import { refusal, strongest } from './restrictions.policy.js';
import { RestrictionsRepository } from './restrictions.repository.js';
import type { RoomEntity } from './room.entity.js';
import { MEMBER_ADDED, MemberJoined } from './rooms.events.js';

/** How people become members, by their own hand or another's. */
@Injectable()
export class Admission {
  constructor(
    private readonly members: MembersRepository,
    private readonly restrictions: RestrictionsRepository,
    private readonly outbox: Outbox,
  ) {}

  /**
   * Adds people under the room's lock. Unknown users are refused, and who is banned from the room or everywhere; so is an
   * actor who is. Members of long standing are left as they are.
   */
  async admit(
    tx: Transaction,
    actor: Actor,
    room: RoomEntity,
    wanted: { userId: string; role: MemberRole }[],
  ): Promise<void> {
    const roles = new Map(wanted.map(({ userId, role }) => [userId, role]));
    const users = await this.members.users(tx, [...roles.keys()]);
    if (users.length < roles.size) throw new AppError('NOT_FOUND', 'There is no such user');
    await this.assertNoneBanned(tx, room, [actor.userId, ...roles.keys()]);
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

  private async assertNoneBanned(tx: Transaction, room: RoomEntity, userIds: string[]): Promise<void> {
    await this.restrictions.hold(tx);
    const ban = strongest(await this.restrictions.bansAmong(tx, room.id, userIds));
    if (ban) throw refusal(ban);
  }
}

import { Injectable } from '@nestjs/common';
import { AuditLog } from '../audit/audit-log.service.js';
import type { InviteMember, KickMember, SetMemberRole } from '../contract/chat.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { Admission } from './admission.js';
import { MembersRepository } from './members.repository.js';
import { RoomAccess } from './room-access.service.js';
import { RoomTurns } from './room-turns.js';
import { MemberRoleChanged } from './rooms.events.js';
import { assertCapability, assertMayKick, assertNotLastOwner } from './rooms.policy.js';
import { RoomsService } from './rooms.service.js';

/** How people come into a room, leave it and rise in it by somebody else's hand. */
@Injectable()
export class MembersService {
  constructor(
    private readonly turns: RoomTurns,
    private readonly access: RoomAccess,
    private readonly members: MembersRepository,
    private readonly rooms: RoomsService,
    private readonly admission: Admission,
    private readonly audit: AuditLog,
  ) {}

  /** REST: one's own id joins, another one's is invited. */
  add(actor: Actor, input: InviteMember): Promise<void> {
    return input.userId === actor.userId ? this.rooms.join(actor, input) : this.invite(actor, input);
  }

  /** REST: one's own id leaves, another one's is kicked. */
  remove(actor: Actor, input: KickMember): Promise<void> {
    return input.userId === actor.userId ? this.rooms.leave(actor, input.roomId) : this.kick(actor, input);
  }

  async invite(actor: Actor, { roomId, userId, role = 'member' }: InviteMember): Promise<void> {
    await this.turns.run(roomId, async (tx) => {
      const membership = await this.access.lockedMember(tx, actor, roomId, 'room:invite');
      if (role !== 'member') assertCapability(membership, 'room:role');
      await this.admission.admit(tx, actor, membership.room, [{ userId, role, path: 'userId' }]);
    });
  }

  async kick(actor: Actor, { roomId, userId }: KickMember): Promise<void> {
    await this.turns.run(roomId, async (tx) => {
      const { member } = await this.access.lockedMember(tx, actor, roomId, 'room:kick');
      const target = await this.members.find(roomId, userId, tx.manager);
      if (!target) throw new AppError('NOT_FOUND', 'There is no such member');
      assertMayKick(member.role, target.role);
      await this.admission.endMembership(tx, roomId, target.user, 'kicked');
      await this.audit.append(tx, actor, {
        act: 'member.kick',
        target: { type: 'user', id: userId },
        roomId,
        before: { role: target.role },
      });
    });
  }

  async setRole(actor: Actor, { roomId, userId, role }: SetMemberRole): Promise<void> {
    await this.turns.run(roomId, async (tx) => {
      await this.access.lockedMember(tx, actor, roomId, 'room:role');
      const target = await this.members.find(roomId, userId, tx.manager);
      if (!target) throw new AppError('NOT_FOUND', 'There is no such member');
      if (target.role === role) return;
      if (role !== 'owner') assertNotLastOwner(target.role, await this.members.countOwners(tx, roomId));
      await this.members.setRole(tx, roomId, userId, role);
      tx.raise(new MemberRoleChanged(roomId, userId, role));
      // Who steps back themselves does nothing to anybody.
      if (userId === actor.userId) return;
      await this.audit.append(tx, actor, {
        act: 'member.role',
        target: { type: 'user', id: userId },
        roomId,
        before: { role: target.role },
        after: { role },
      });
    });
  }
}

import { Injectable } from '@nestjs/common';
import type { InviteMember, KickMember, ListMembers, SetMemberRole } from '../contract/chat.js';
import { CONTRACT_LIMITS } from '../contract/limits.js';
import type { Page } from '../contract/rest.js';
import type { Member } from '../contract/views.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { Admission } from './admission.js';
import { MembersRepository } from './members.repository.js';
import { OnlineUsers } from './online-users.service.js';
import { RoomAccess } from './room-access.service.js';
import { RoomTurns } from './room-turns.js';
import { memberView } from './room.view.js';
import { MemberLeft, MemberRoleChanged } from './rooms.events.js';
import { assertCapability, assertMayKick, assertNotLastOwner } from './rooms.policy.js';
import { RoomsService } from './rooms.service.js';

/** The people of a room: who they are, and how they come, go and rise by somebody else's hand. */
@Injectable()
export class MembersService {
  constructor(
    private readonly turns: RoomTurns,
    private readonly access: RoomAccess,
    private readonly members: MembersRepository,
    private readonly rooms: RoomsService,
    private readonly admission: Admission,
    private readonly onlineUsers: OnlineUsers,
  ) {}

  /** REST: one's own id joins, another one's is invited. */
  add(actor: Actor, input: InviteMember): Promise<void> {
    return input.userId === actor.userId ? this.rooms.join(actor, input) : this.invite(actor, input);
  }

  /** REST: one's own id leaves, another one's is kicked. */
  remove(actor: Actor, input: KickMember): Promise<void> {
    return input.userId === actor.userId ? this.rooms.leave(actor, input.roomId) : this.kick(actor, input);
  }

  async page(actor: Actor, input: ListMembers): Promise<Page<Member>> {
    const { members, cursor } = await this.list(actor, input);
    return { data: members, ...(cursor !== undefined && { cursor }), hasMore: cursor !== undefined };
  }

  async list(
    actor: Actor,
    { roomId, cursor = '' }: ListMembers,
  ): Promise<{ members: Member[]; cursor?: string }> {
    const { room } = await this.access.member(actor, roomId);
    const limit = CONTRACT_LIMITS.membersPage;
    const rows = await this.members.page(roomId, cursor, limit + 1);
    const page = rows.slice(0, limit);
    const online =
      room.memberCount <= CONTRACT_LIMITS.presenceMembers
        ? await this.onlineUsers.among(page.map(({ userId }) => userId))
        : undefined;
    const members = page.map((row) => memberView(row, online?.has(row.userId)));
    const last = rows.length > limit ? members.at(-1) : undefined;
    return { members, ...(last && { cursor: last.userId }) };
  }

  async invite(actor: Actor, { roomId, userId, role = 'member' }: InviteMember): Promise<void> {
    await this.turns.run(roomId, async (tx) => {
      const membership = await this.access.lockedMember(tx, actor, roomId, 'room:invite');
      if (role !== 'member') assertCapability(membership, 'room:role');
      await this.admission.admit(tx, actor, membership.room, [{ userId, role }]);
    });
  }

  async kick(actor: Actor, { roomId, userId }: KickMember): Promise<void> {
    await this.turns.run(roomId, async (tx) => {
      const { member } = await this.access.lockedMember(tx, actor, roomId, 'room:kick');
      const target = await this.members.find(roomId, userId, tx.manager);
      if (!target) throw new AppError('NOT_FOUND', 'There is no such member');
      assertMayKick(member.role, target.role);
      await this.members.remove(tx, roomId, userId);
      tx.raise(new MemberLeft(roomId, userId, target.user.username, 'kicked'));
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
    });
  }
}

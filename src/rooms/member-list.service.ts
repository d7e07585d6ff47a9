import { Injectable } from '@nestjs/common';
import type { ListMembers } from '../contract/chat.js';
import { CONTRACT_LIMITS } from '../contract/limits.js';
import type { Page } from '../contract/rest.js';
import type { Member } from '../contract/views.js';
import type { Actor } from '../platform/identity/actor.js';
import { MembersRepository } from './members.repository.js';
import { OnlineUsers } from './online-users.service.js';
import { memberView } from './room.view.js';
import { notInRoom } from './rooms.policy.js';

/** Who is in a room, page by page. */
@Injectable()
export class MemberList {
  constructor(
    private readonly members: MembersRepository,
    private readonly onlineUsers: OnlineUsers,
  ) {}

  async page(actor: Actor, input: ListMembers): Promise<Page<Member>> {
    const { members, cursor } = await this.list(actor, input);
    return { data: members, ...(cursor !== undefined && { cursor }), hasMore: cursor !== undefined };
  }

  async list(
    actor: Actor,
    { roomId, cursor = '' }: ListMembers,
  ): Promise<{ members: Member[]; cursor?: string }> {
    const limit = CONTRACT_LIMITS.membersPage;
    const found = await this.members.page({ roomId, readerId: actor.userId, after: cursor }, limit + 1);
    if (!found?.isMember) throw notInRoom(found?.room);
    const page = found.members.slice(0, limit);
    const online =
      found.room.memberCount <= CONTRACT_LIMITS.presenceMembers
        ? await this.onlineUsers.among(page.map(({ userId }) => userId))
        : undefined;
    const members = page.map((row) => memberView(row, online?.has(row.userId)));
    const last = found.members.length > limit ? members.at(-1) : undefined;
    return { members, ...(last && { cursor: last.userId }) };
  }
}

import type { Member, MemberRole, Room } from '../contract/views.js';
import type { RoomMemberEntity } from './room-member.entity.js';
import type { RoomEntity } from './room.entity.js';
import { capabilitiesOf } from './rooms.policy.js';

/** `name` is given for direct rooms, which have none of their own. */
export function roomView(room: RoomEntity, role: MemberRole, online: number, name = room.name ?? ''): Room {
  return {
    id: room.id,
    name,
    type: room.type,
    ...(room.topic !== null && { topic: room.topic }),
    history: room.history,
    members: { count: room.memberCount, online },
    lastSeq: room.lastSeq,
    rev: room.lastRev,
    slowModeSeconds: room.slowModeSeconds,
    ...(room.archivedAt && { archivedAt: room.archivedAt.toISOString() }),
    ...(room.frozenAt && { frozenAt: room.frozenAt.toISOString() }),
    createdAt: room.createdAt.toISOString(),
    role,
    capabilities: capabilitiesOf(room.type, role),
  };
}

/** A membership with what others see of the person. */
export type ShownMember = Pick<RoomMemberEntity, 'userId' | 'role' | 'lastReadSeq' | 'joinedAt'> & {
  user: Pick<RoomMemberEntity['user'], 'username' | 'name' | 'avatarUrl'>;
};

/** Without `online` where people do not see each other's presence. */
export function memberView(member: ShownMember, online: boolean | undefined): Member {
  const { user } = member;
  return {
    userId: member.userId,
    username: user.username,
    name: user.name,
    ...(user.avatarUrl !== null && { avatarUrl: user.avatarUrl }),
    role: member.role,
    ...(online !== undefined && { online }),
    lastReadSeq: member.lastReadSeq,
    joinedAt: member.joinedAt.toISOString(),
  };
}

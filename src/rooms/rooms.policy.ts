import type { Capability, MemberRole, RoomType } from '../contract/views.js';
import { AppError } from '../platform/errors/app-error.js';
import type { RoomMemberEntity } from './room-member.entity.js';
import type { RoomEntity } from './room.entity.js';

/** A room and one's membership of it: what every use case in a room is authorised with. */
export interface Membership {
  room: RoomEntity;
  member: RoomMemberEntity;
}

const ADMIN: Capability[] = [
  'message:send',
  'message:react',
  'message:pin',
  'message:delete',
  'message:mention-room',
  'room:invite',
  'room:kick',
  'room:moderate',
  'room:update',
  'room:leave',
];
const OWNER: Capability[] = [...ADMIN, 'room:role'];

/** Who may do what, by type of room and role. */
const CAPABILITIES: Record<RoomType, Record<MemberRole, Capability[]>> = {
  public: {
    owner: OWNER,
    admin: ADMIN,
    member: ['message:send', 'message:react', 'room:invite', 'room:leave'],
  },
  private: { owner: OWNER, admin: ADMIN, member: ['message:send', 'message:react', 'room:leave'] },
  announcement: { owner: OWNER, admin: ADMIN, member: ['message:react', 'room:leave'] },
  // The people of a direct room are equal and stay the same.
  direct: {
    owner: ['message:send', 'message:react', 'message:pin'],
    admin: ['message:send', 'message:react', 'message:pin'],
    member: ['message:send', 'message:react', 'message:pin'],
  },
};

const RANK: Record<MemberRole, number> = { owner: 2, admin: 1, member: 0 };

/** Open rooms can be joined, and their existence is no secret. */
export const isOpen = (type: RoomType): boolean => type === 'public' || type === 'announcement';

export function capabilitiesOf(type: RoomType, role: MemberRole): Capability[] {
  return CAPABILITIES[type][role];
}

export function assertCapability(
  { room, member }: { room: Pick<RoomEntity, 'type'>; member: Pick<RoomMemberEntity, 'role'> },
  capability: Capability,
): void {
  if (!capabilitiesOf(room.type, member.role).includes(capability))
    throw new AppError('FORBIDDEN', `This needs the capability ${capability}`);
}

/** Closed rooms are read only, also for what is not stored. */
export function assertOpenForWriting(room: { frozen: boolean; archived: boolean }): void {
  if (room.frozen) throw new AppError('ROOM_FROZEN', 'An administrator has closed this room for writing');
  if (room.archived) throw new AppError('ROOM_ARCHIVED', 'This room is archived');
}

export function roomNotFound(): AppError {
  return new AppError('NOT_FOUND', 'There is no such room');
}

/** What somebody who is not in the room is told: of a closed room not even that it exists. */
export function notInRoom(
  room: Pick<RoomEntity, 'type'> | null | undefined,
  notFound: () => AppError = roomNotFound,
): AppError {
  return room && isOpen(room.type)
    ? new AppError('NOT_A_MEMBER', 'You are not a member of this room')
    : notFound();
}

export function assertMayKick(kicker: MemberRole, target: MemberRole): void {
  if (RANK[kicker] <= RANK[target])
    throw new AppError('FORBIDDEN', 'Only people with a lower role can be removed');
}

/** A room with members keeps an owner. */
export function assertNotLastOwner(role: MemberRole, owners: number): void {
  if (role === 'owner' && owners <= 1)
    throw new AppError('CONFLICT', 'The last owner hands the room over first');
}

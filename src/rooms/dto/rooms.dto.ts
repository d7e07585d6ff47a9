import { ArrayMaxSize, IsArray, IsBoolean, IsIn, IsInt, Max, Min } from 'class-validator';
import type {
  CreateRoom,
  InviteMember,
  JoinRoom,
  KickMember,
  ListMembers,
  ListRooms,
  RoomPositions,
  RoomRef,
  SetMemberRole,
  UpdateRoom,
} from '../../contract/chat.js';
import { CONTRACT_LIMITS } from '../../contract/limits.js';
import type { MemberRole, RoomHistory, RoomType } from '../../contract/views.js';
import { IsLine } from '../../platform/validation/is-line.decorator.js';
import {
  IsDistinct,
  IsPosition,
  IsRoomId,
  IsText,
  IsUserId,
  Optional,
} from '../../platform/validation/rules.js';

const ROLES: MemberRole[] = ['owner', 'admin', 'member'];
const TYPES: RoomType[] = ['public', 'private', 'direct', 'announcement'];

export class RoomRefDto implements RoomRef {
  @IsRoomId()
  roomId!: string;
}

export class JoinRoomDto extends RoomRefDto implements JoinRoom {
  @Optional()
  @IsLine(CONTRACT_LIMITS.roomNameLength)
  roomName?: string;

  @Optional()
  @IsPosition()
  since?: number;
}

export class CreateRoomDto implements CreateRoom {
  @Optional()
  @IsRoomId()
  roomId?: string;

  @Optional()
  @IsLine(CONTRACT_LIMITS.roomNameLength)
  name?: string;

  @IsIn(TYPES)
  type!: RoomType;

  @Optional()
  @IsArray()
  @ArrayMaxSize(CONTRACT_LIMITS.memberIds)
  @IsDistinct()
  @IsUserId({ each: true })
  memberIds?: string[];

  @Optional()
  @IsIn(['full', 'since_join'])
  history?: RoomHistory;
}

export class ListRoomsDto implements ListRooms {
  @Optional()
  @IsRoomId()
  cursor?: string;
}

export class ListMembersDto extends RoomRefDto implements ListMembers {
  @Optional()
  @IsUserId()
  cursor?: string;
}

export class KickMemberDto extends RoomRefDto implements KickMember {
  @IsUserId()
  userId!: string;
}

export class InviteMemberDto extends KickMemberDto implements InviteMember {
  @Optional()
  @IsIn(ROLES)
  role?: MemberRole;
}

export class SetMemberRoleDto extends KickMemberDto implements SetMemberRole {
  @IsIn(ROLES)
  role!: MemberRole;
}

/** What can change in a room; over REST the room is in the path. */
export class RoomChangesDto {
  @Optional()
  @IsLine(CONTRACT_LIMITS.roomNameLength)
  name?: string;

  @Optional()
  @IsText(CONTRACT_LIMITS.roomTopicLength)
  topic?: string;

  @Optional()
  @IsInt()
  @Min(0)
  @Max(CONTRACT_LIMITS.slowModeSeconds)
  slowModeSeconds?: number;

  @Optional()
  @IsBoolean()
  archived?: boolean;
}

export class UpdateRoomDto extends RoomChangesDto implements UpdateRoom {
  @IsRoomId()
  roomId!: string;
}

export class RoomPositionsDto implements RoomPositions {
  @IsArray()
  @ArrayMaxSize(CONTRACT_LIMITS.positionRooms)
  @IsRoomId({ each: true })
  roomIds!: string[];
}

/** Body of `POST rooms/:roomId/members`: oneself joins, anybody else is invited. */
export class AddMemberDto {
  @IsUserId()
  userId!: string;

  @Optional()
  @IsIn(ROLES)
  role?: MemberRole;
}

export class MemberRoleDto {
  @IsIn(ROLES)
  role!: MemberRole;
}

export class MemberRefDto extends RoomRefDto {
  @IsUserId()
  userId!: string;
}

export class MembersPageDto {
  @Optional()
  @IsUserId()
  cursor?: string;
}

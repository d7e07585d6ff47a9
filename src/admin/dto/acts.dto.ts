import { IsIn } from 'class-validator';
import type {
  DeleteAnyMessage,
  OnRoom,
  OnUser,
  SendAnnouncement,
  SetUserRole,
} from '../../contract/admin.js';
import { CONTRACT_LIMITS } from '../../contract/limits.js';
import type { UserRole } from '../../contract/views.js';
import { IsLine } from '../../platform/validation/is-line.decorator.js';
import { IsFilledText, IsMessageId, IsRoomId, IsUserId } from '../../platform/validation/rules.js';
import { WithReasonDto } from '../../platform/validation/with-reason.dto.js';

const ROLES: UserRole[] = ['user', 'admin'];

export class SendAnnouncementDto extends WithReasonDto implements SendAnnouncement {
  @IsLine(CONTRACT_LIMITS.notificationTitleLength)
  title!: string;

  @IsFilledText(CONTRACT_LIMITS.announcementBodyLength)
  body!: string;
}

export class OnUserDto extends WithReasonDto implements OnUser {
  @IsUserId()
  userId!: string;
}

export class SetUserRoleDto extends OnUserDto implements SetUserRole {
  @IsIn(ROLES)
  role!: UserRole;
}

export class OnRoomDto extends WithReasonDto implements OnRoom {
  @IsRoomId()
  roomId!: string;
}

export class DeleteAnyMessageDto extends WithReasonDto implements DeleteAnyMessage {
  @IsMessageId()
  messageId!: string;
}

export class UserRoleDto extends WithReasonDto {
  @IsIn(ROLES)
  role!: UserRole;
}

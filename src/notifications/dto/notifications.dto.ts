import { ApiSchema } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  Equals,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsObject,
  IsString,
  IsUrl,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateBy,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { CONTRACT_LIMITS } from '../../contract/limits.js';
import {
  NOTIFICATION_KINDS,
  type ArchiveNotifications,
  type ListNotifications,
  type NotificationChannels,
  type NotificationFilter,
  type NotificationKind,
  type NotifyLevel,
  type QuietHours,
  type ReadNotifications,
  type SetPreference,
} from '../../contract/notifications.js';
import { IsLine } from '../../platform/validation/is-line.decorator.js';
import {
  IsDistinct,
  IsMessageId,
  IsRoomId,
  IsText,
  IsTime,
  IsUserId,
  NumberFromQuery,
  Optional,
} from '../../platform/validation/rules.js';
import type { SendCustomNotification } from '../custom-notifications.service.js';
import type { AskDecisions } from '../decision-answers.service.js';
import { isTimeZone } from '../quiet-hours.js';

const FILTERS: NotificationFilter[] = ['all', 'unread', 'archived'];
const LEVELS: NotifyLevel[] = ['all', 'mentions', 'none'];
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** May be absent, or null to take something away. */
const OptionalOrNull = () => ValidateIf((_, value) => value !== undefined && value !== null);
const IsNotificationId = (options?: { each: boolean }) =>
  Matches(UUID, { ...options, message: 'must be the id of a notification, a UUID in lower case' });

export class ListNotificationsDto implements ListNotifications {
  /** The `cursor` of the page before. */
  @Optional()
  @IsString()
  @MaxLength(128)
  cursor?: string;

  @Optional()
  @IsIn(FILTERS)
  filter?: NotificationFilter;
}

export class NotificationsPageDto extends ListNotificationsDto {
  @Optional()
  @NumberFromQuery()
  @IsInt()
  @Min(1)
  @Max(100)
  limit?: number;
}

export class NotificationRefDto {
  @IsNotificationId()
  notificationId!: string;
}

/** Exactly one of both. */
export class ReadNotificationsDto implements ReadNotifications {
  @Optional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(CONTRACT_LIMITS.notificationIds)
  @IsDistinct()
  @IsNotificationId({ each: true })
  ids?: string[];

  @Optional()
  @Equals(true)
  all?: true;
}

export class ArchiveNotificationsDto implements ArchiveNotifications {
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(CONTRACT_LIMITS.notificationIds)
  @IsDistinct()
  @IsNotificationId({ each: true })
  ids!: string[];
}

@ApiSchema({ description: 'A command that says all by its name.' })
export class NoFieldsDto {}

export class NotificationChannelsDto implements Partial<NotificationChannels> {
  @Optional()
  @IsBoolean()
  inApp?: boolean;

  @Optional()
  @IsBoolean()
  push?: boolean;

  @Optional()
  @IsBoolean()
  email?: boolean;
}

const IsTimeZone = () =>
  ValidateBy({
    name: 'isTimeZone',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && isTimeZone(value),
      defaultMessage: () => 'must be the IANA name of a time zone',
    },
  });
const TEN_YEARS_MS = 3650 * 24 * 3600 * 1000;
const IsMuteEnd = () =>
  ValidateBy({
    name: 'isMuteEnd',
    validator: {
      validate: (value: unknown) => {
        const ahead = typeof value === 'string' ? Date.parse(value) - Date.now() : NaN;
        return ahead > 0 && ahead <= TEN_YEARS_MS;
      },
      defaultMessage: () => 'must be a time to come, at most 10 years ahead',
    },
  });
const IsTimeOfDay = () => Matches(/^([01]\d|2[0-3]):[0-5]\d$/, { message: 'must be a time of day, HH:MM' });

export class QuietHoursDto implements QuietHours {
  @IsTimeOfDay()
  from!: string;

  @IsTimeOfDay()
  to!: string;

  /** IANA name. */
  @MaxLength(64)
  @IsTimeZone()
  timeZone!: string;

  @Optional()
  @IsArray()
  @ArrayMaxSize(NOTIFICATION_KINDS.length)
  @IsDistinct()
  @IsIn(NOTIFICATION_KINDS, { each: true })
  critical?: NotificationKind[];
}

/** One of three: of a room, of a kind, or quiet hours. */
export class SetPreferenceDto implements SetPreference {
  @Optional()
  @IsRoomId()
  roomId?: string;

  @Optional()
  @IsIn(LEVELS)
  level?: NotifyLevel;

  @OptionalOrNull()
  @IsTime()
  @IsMuteEnd()
  mutedUntil?: string | null;

  @Optional()
  @IsIn(NOTIFICATION_KINDS)
  kind?: NotificationKind;

  @Optional()
  @IsObject()
  @ValidateNested()
  @Type(() => NotificationChannelsDto)
  channels?: NotificationChannelsDto;

  @OptionalOrNull()
  @IsObject()
  @ValidateNested()
  @Type(() => QuietHoursDto)
  quietHours?: QuietHoursDto | null;
}

export class AskDecisionsDto implements AskDecisions {
  @IsMessageId()
  messageId!: string;

  @Optional()
  @IsUserId()
  userId?: string;

  /** The `cursor` of the page before. */
  @Optional()
  @IsUserId()
  cursor?: string;

  @Optional()
  @NumberFromQuery()
  @IsInt()
  @Min(1)
  @Max(100)
  limit?: number;
}

export class CustomNotificationDto implements SendCustomNotification {
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @IsDistinct()
  @IsUserId({ each: true })
  userIds!: string[];

  @IsLine(CONTRACT_LIMITS.notificationTitleLength)
  title!: string;

  @Optional()
  @IsText(CONTRACT_LIMITS.notificationBodyLength)
  body?: string;

  /** Where a click leads. */
  @Optional()
  @MaxLength(2000)
  @IsUrl({ protocols: ['https', 'http'], require_protocol: true, require_tld: false })
  url?: string;
}

import { IsIn, IsString, MaxLength } from 'class-validator';
import { CONTRACT_LIMITS } from '../../contract/limits.js';
import type { FilterAction, FilterKind, ReportStatus } from '../../contract/moderation.js';
import { IsLine } from '../../platform/validation/is-line.decorator.js';
import {
  IsMessageId,
  IsReason,
  IsRoomId,
  IsTime,
  IsUserId,
  Optional,
} from '../../platform/validation/rules.js';
import { WithReasonDto } from '../../platform/validation/with-reason.dto.js';

export class RestrictionDto extends WithReasonDto {
  /** Absent: until it is lifted. */
  @Optional()
  @IsTime()
  until?: string;
}

export class ListRestrictionsDto {
  @Optional()
  @IsRoomId()
  roomId?: string;

  @Optional()
  @IsUserId()
  userId?: string;

  /** The `cursor` of the page before. */
  @Optional()
  @IsString()
  @MaxLength(1000)
  cursor?: string;
}

export class FilterRuleDto extends WithReasonDto {
  @IsIn(['word', 'link'])
  kind!: FilterKind;

  @IsLine(CONTRACT_LIMITS.filterPatternLength)
  pattern!: string;

  @IsIn(['reject', 'mask', 'flag'])
  action!: FilterAction;
}

/** Ids of rules and reports are like those of messages. */
export class IdDto {
  @IsMessageId()
  id!: string;
}

export class IdPageDto {
  /** The `cursor` of the page before. */
  @Optional()
  @IsMessageId()
  cursor?: string;
}

export class ReportMessageDto {
  @IsMessageId()
  messageId!: string;

  /** What is wrong with it; stands in the report. */
  @IsReason()
  reason!: string;
}

export class ListReportsDto extends IdPageDto {
  @Optional()
  @IsIn(['open', 'resolved', 'dismissed'])
  status?: ReportStatus;

  @Optional()
  @IsRoomId()
  roomId?: string;
}

export class ClosingDto {
  @IsIn(['resolved', 'dismissed'])
  status!: 'resolved' | 'dismissed';

  /** What was done, or why nothing was. */
  @Optional()
  @IsReason()
  note?: string;
}

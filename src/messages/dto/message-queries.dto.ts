import { IsInt, Max, Min } from 'class-validator';
import { CONTRACT_LIMITS } from '../../contract/limits.js';
import { IsPosition, NumberFromQuery, Optional, IsMessageId } from '../../platform/validation/rules.js';

/** Query of a page of history: at most one of `before`, `after` and `around`. */
export class HistoryQueryDto {
  @Optional()
  @IsMessageId()
  threadId?: string;

  @Optional()
  @NumberFromQuery()
  @IsPosition()
  before?: number;

  @Optional()
  @NumberFromQuery()
  @IsPosition()
  after?: number;

  @Optional()
  @NumberFromQuery()
  @IsPosition()
  around?: number;

  @Optional()
  @NumberFromQuery()
  @IsInt()
  @Min(1)
  @Max(CONTRACT_LIMITS.historyPageMax)
  limit?: number;
}

/** Query of a page of the change log. */
export class ChangesQueryDto {
  @NumberFromQuery()
  @IsPosition()
  since!: number;

  @Optional()
  @NumberFromQuery()
  @IsInt()
  @Min(1)
  @Max(CONTRACT_LIMITS.syncPageMax)
  limit?: number;
}

import { IsBoolean, IsInt, IsString, Length, Matches, Max, MaxLength, Min } from 'class-validator';
import type { ListConnections } from '../../contract/admin.js';
import { BooleanFromQuery, IsUserId, NumberFromQuery, Optional } from '../../platform/validation/rules.js';
import type { ListAccounts } from '../../users/user-administration.service.js';
import type { ListDeadFacts, ListDeadJobs } from '../dead-work.service.js';

/** Ids and the cursors that are ids: a UUID as the server writes it. */
const IsUuid = () =>
  Matches(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, { message: 'must be a UUID in lower case' });

export class ListConnectionsDto implements ListConnections {
  /** The `cursor` of the page before. */
  @Optional()
  @IsUuid()
  cursor?: string;

  /** Only of this user. */
  @Optional()
  @IsUserId()
  userId?: string;
}

export class ListAccountsDto implements ListAccounts {
  /** Start of a username or of a name; everybody when absent. */
  @Optional()
  @IsString()
  @MaxLength(100)
  query?: string;

  /** Only suspended accounts, or only others; all when absent. */
  @Optional()
  @BooleanFromQuery()
  @IsBoolean()
  suspended?: boolean;

  /** The `cursor` of the page before. */
  @Optional()
  @IsString()
  @MaxLength(1024)
  cursor?: string;

  /** Accounts on a page. */
  @Optional()
  @NumberFromQuery()
  @IsInt()
  @Min(1)
  @Max(100)
  limit?: number;
}

export class ListDeadJobsDto implements ListDeadJobs {
  /** Only of this queue. */
  @Optional()
  @IsString()
  @Length(1, 64)
  queue?: string;

  /** The `cursor` of the page before. */
  @Optional()
  @IsUuid()
  cursor?: string;
}

export class JobRefDto {
  @IsUuid()
  id!: string;
}

export class ListDeadFactsDto implements ListDeadFacts {
  /** The `cursor` of the page before. */
  @Optional()
  @NumberFromQuery()
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  cursor?: number;
}

export class FactRefDto {
  @NumberFromQuery()
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  id!: number;
}

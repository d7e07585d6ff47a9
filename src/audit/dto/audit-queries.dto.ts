import { IsInt, Length, Max, MaxLength, Min, IsString } from 'class-validator';
import { IsTime, IsUserId, NumberFromQuery, Optional } from '../../platform/validation/rules.js';
import type { ExportAuditEntries } from '../audit-export.service.js';
import type { ListAuditEntries } from '../audit-log.service.js';

export class ExportAuditEntriesDto implements ExportAuditEntries {
  /** From this time on. */
  @Optional()
  @IsTime()
  since?: string;

  /** Before this time. */
  @Optional()
  @IsTime()
  until?: string;
}

export class ListAuditEntriesDto extends ExportAuditEntriesDto implements ListAuditEntries {
  /** The `cursor` of the page before. */
  @Optional()
  @IsString()
  @MaxLength(128)
  cursor?: string;

  /** Entries on a page. */
  @Optional()
  @NumberFromQuery()
  @IsInt()
  @Min(1)
  @Max(100)
  limit?: number;

  /** Acts of this user. */
  @Optional()
  @IsUserId()
  actorId?: string;

  /** One kind of act, e.g. `user.suspend`. */
  @Optional()
  @IsString()
  @Length(1, 64)
  act?: string;

  /** Acts on this user, room, message ... */
  @Optional()
  @IsString()
  @Length(1, 128)
  targetId?: string;
}

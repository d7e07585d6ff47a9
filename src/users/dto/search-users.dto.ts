import { IsInt, IsString, Max, MaxLength, Min } from 'class-validator';
import { NumberFromQuery, Optional } from '../../platform/validation/rules.js';
import type { SearchUsers } from '../users.service.js';

export class SearchUsersDto implements SearchUsers {
  /** Start of a username or of a name; everybody when absent. */
  @Optional()
  @IsString()
  @MaxLength(100)
  query?: string;

  /** The `cursor` of the page before. */
  @Optional()
  @IsString()
  @MaxLength(1024)
  cursor?: string;

  /** People on a page. */
  @Optional()
  @NumberFromQuery()
  @IsInt()
  @Min(1)
  @Max(100)
  limit?: number;
}

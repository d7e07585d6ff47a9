import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import type { SearchUsers } from '../users.service.js';

export class SearchUsersDto implements SearchUsers {
  /** Start of a username or of a name; everybody when absent. */
  @IsOptional()
  @IsString()
  @MaxLength(100)
  query?: string;

  /** The `cursor` of the page before. */
  @IsOptional()
  @IsString()
  @MaxLength(1024)
  cursor?: string;

  /** People on a page. */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100)
  limit?: number;
}

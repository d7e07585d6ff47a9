import { ApiSchema } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn } from 'class-validator';
import { Transform } from 'class-transformer';
import { CONTRACT_LIMITS } from '../../contract/limits.js';
import type { OwnStatus, SetPresence, WatchPresence } from '../../contract/presence.js';
import { IsLine } from '../../platform/validation/is-line.decorator.js';
import { IsDistinct, IsTime, IsUserId, Optional } from '../../platform/validation/rules.js';

const STATUSES: OwnStatus[] = ['online', 'away', 'busy', 'invisible'];

export class SetPresenceDto implements SetPresence {
  @IsIn(STATUSES)
  status!: OwnStatus;

  @Optional()
  @IsLine(CONTRACT_LIMITS.presenceTextLength)
  text?: string;

  @Optional()
  @IsTime()
  until?: string;
}

export class WatchPresenceDto implements WatchPresence {
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(CONTRACT_LIMITS.watchedUsers)
  @IsDistinct()
  @IsUserId({ each: true })
  userIds!: string[];
}

/** Over REST the ids come in one parameter, separated by commas; a second one of the name is refused. */
export class PresenceQueryDto {
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.split(',') : undefined))
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(CONTRACT_LIMITS.watchedUsers)
  @IsDistinct()
  @IsDistinct()
  @IsUserId({ each: true })
  userIds!: string[];
}

@ApiSchema({ description: 'A command that says all by its name.' })
export class PresenceActivityDto {}

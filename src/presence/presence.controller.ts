import { Body, Controller, Get, Put, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { OwnPresence, Presence } from '../contract/presence.js';
import type { Page } from '../contract/rest.js';
import type { Actor } from '../platform/identity/actor.js';
import { CurrentActor } from '../platform/identity/current-actor.decorator.js';
import { PresenceQueryDto, SetPresenceDto } from './dto/presence.dto.js';
import { OwnPresences } from './own-presence.service.js';
import { PresenceList } from './presence-list.service.js';

@ApiTags('presence')
@ApiBearerAuth()
@Controller('presence')
export class PresenceController {
  constructor(
    private readonly list: PresenceList,
    private readonly own: OwnPresences,
  ) {}

  /** How these people are seen, in the order of the ids. Whom one may not see is left out. */
  @Get()
  page(@CurrentActor() actor: Actor, @Query() { userIds }: PresenceQueryDto): Promise<Page<Presence>> {
    return this.list.page(actor, userIds);
  }

  /** What the caller chose to show. */
  @Get('me')
  show(@CurrentActor() actor: Actor): Promise<OwnPresence> {
    return this.own.show(actor);
  }

  /** Replaces it. */
  @Put()
  set(@CurrentActor() actor: Actor, @Body() presence: SetPresenceDto): Promise<{ presence: OwnPresence }> {
    return this.own.set(actor, presence);
  }
}

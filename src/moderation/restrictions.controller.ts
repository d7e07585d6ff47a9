import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Restriction } from '../contract/moderation.js';
import type { Page } from '../contract/rest.js';
import type { Actor } from '../platform/identity/actor.js';
import { CurrentActor } from '../platform/identity/current-actor.decorator.js';
import { WithReasonDto } from '../platform/validation/with-reason.dto.js';
import { RestrictionsService } from '../rooms/restrictions.service.js';
import { UserRefDto } from '../users/dto/user-ref.dto.js';
import { ListRestrictionsDto, RestrictionDto } from './dto/moderation.dto.js';

/** Mutes and bans that hold everywhere, by administrators, and the list of all. */
@ApiTags('moderation')
@ApiBearerAuth()
@Controller('moderation')
export class RestrictionsController {
  constructor(private readonly restrictions: RestrictionsService) {}

  /** What is in force: of a room for its owners and admins, of all for administrators. */
  @Get('restrictions')
  list(@CurrentActor() actor: Actor, @Query() query: ListRestrictionsDto): Promise<Page<Restriction>> {
    return this.restrictions.list(actor, query);
  }

  /** Takes the right to write, in every room. */
  @Put('mutes/:userId')
  mute(
    @CurrentActor() actor: Actor,
    @Param() user: UserRefDto,
    @Body() body: RestrictionDto,
  ): Promise<Restriction> {
    return this.restrictions.impose(actor, { ...body, ...user, kind: 'mute' });
  }

  /** Gives it back. */
  @Delete('mutes/:userId')
  @HttpCode(204)
  unmute(
    @CurrentActor() actor: Actor,
    @Param() user: UserRefDto,
    @Query() { reason }: WithReasonDto,
  ): Promise<void> {
    return this.restrictions.lift(actor, { ...user, reason, kind: 'mute' });
  }

  /** The user writes, joins and creates nothing, and reads on. */
  @Put('bans/:userId')
  ban(
    @CurrentActor() actor: Actor,
    @Param() user: UserRefDto,
    @Body() body: RestrictionDto,
  ): Promise<Restriction> {
    return this.restrictions.impose(actor, { ...body, ...user, kind: 'ban' });
  }

  /** Ends that. */
  @Delete('bans/:userId')
  @HttpCode(204)
  unban(
    @CurrentActor() actor: Actor,
    @Param() user: UserRefDto,
    @Query() { reason }: WithReasonDto,
  ): Promise<void> {
    return this.restrictions.lift(actor, { ...user, reason, kind: 'ban' });
  }
}

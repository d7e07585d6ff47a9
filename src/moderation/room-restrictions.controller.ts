import { Body, Controller, Delete, HttpCode, Param, Put, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Restriction } from '../contract/moderation.js';
import type { Actor } from '../platform/identity/actor.js';
import { CurrentActor } from '../platform/identity/current-actor.decorator.js';
import { WithReasonDto } from '../platform/validation/with-reason.dto.js';
import { MemberRefDto } from '../rooms/dto/rooms.dto.js';
import { RestrictionsService } from '../rooms/restrictions.service.js';
import { RestrictionDto } from './dto/moderation.dto.js';

/** Mutes and bans in one room: by its owners and admins, and by administrators. */
@ApiTags('moderation')
@ApiBearerAuth()
@Controller('moderation/rooms/:roomId')
export class RoomRestrictionsController {
  constructor(private readonly restrictions: RestrictionsService) {}

  /** Takes the right to write in the room. */
  @Put('mutes/:userId')
  mute(
    @CurrentActor() actor: Actor,
    @Param() user: MemberRefDto,
    @Body() body: RestrictionDto,
  ): Promise<Restriction> {
    return this.restrictions.impose(actor, { ...body, ...user, kind: 'mute' });
  }

  /** Gives it back. */
  @Delete('mutes/:userId')
  @HttpCode(204)
  unmute(
    @CurrentActor() actor: Actor,
    @Param() user: MemberRefDto,
    @Query() { reason }: WithReasonDto,
  ): Promise<void> {
    return this.restrictions.lift(actor, { ...user, reason, kind: 'mute' });
  }

  /** Ends the membership; no other can begin. */
  @Put('bans/:userId')
  ban(
    @CurrentActor() actor: Actor,
    @Param() user: MemberRefDto,
    @Body() body: RestrictionDto,
  ): Promise<Restriction> {
    return this.restrictions.impose(actor, { ...body, ...user, kind: 'ban' });
  }

  /** Lets the user join, or be invited, again. */
  @Delete('bans/:userId')
  @HttpCode(204)
  unban(
    @CurrentActor() actor: Actor,
    @Param() user: MemberRefDto,
    @Query() { reason }: WithReasonDto,
  ): Promise<void> {
    return this.restrictions.lift(actor, { ...user, reason, kind: 'ban' });
  }
}

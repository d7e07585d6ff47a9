import { Body, Controller, Delete, HttpCode, Param, Put, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Actor } from '../platform/identity/actor.js';
import { CurrentActor } from '../platform/identity/current-actor.decorator.js';
import { WithReasonDto } from '../platform/validation/with-reason.dto.js';
import { RoomRefDto } from '../rooms/dto/rooms.dto.js';
import { RoomAdministration } from '../rooms/room-administration.service.js';

/** What administrators do with rooms they need not be members of. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/rooms/:roomId')
export class AdminRoomsController {
  constructor(private readonly rooms: RoomAdministration) {}

  /** Closes the room for writing: `ROOM_FROZEN`. */
  @Put('freeze')
  @HttpCode(204)
  freeze(
    @CurrentActor() actor: Actor,
    @Param() { roomId }: RoomRefDto,
    @Body() { reason }: WithReasonDto,
  ): Promise<void> {
    return this.rooms.freeze(actor, { roomId, reason });
  }

  /** Opens it again. */
  @Delete('freeze')
  @HttpCode(204)
  unfreeze(
    @CurrentActor() actor: Actor,
    @Param() { roomId }: RoomRefDto,
    @Query() { reason }: WithReasonDto,
  ): Promise<void> {
    return this.rooms.unfreeze(actor, { roomId, reason });
  }
}

import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Room } from '../contract/views.js';
import type { Actor } from '../platform/identity/actor.js';
import { CurrentActor } from '../platform/identity/current-actor.decorator.js';
import { Throttled } from '../platform/throttling/throttle.interceptor.js';
import { CreateRoomDto, RoomChangesDto, RoomRefDto } from './dto/rooms.dto.js';
import { RoomSettings } from './room-settings.service.js';
import { RoomsService } from './rooms.service.js';

/** Rooms over REST. The list with unread counts is in `chat/`, which knows messages too. */
@ApiTags('rooms')
@ApiBearerAuth()
@Controller('rooms')
export class RoomsController {
  constructor(
    private readonly rooms: RoomsService,
    private readonly settings: RoomSettings,
  ) {}

  /** Creates a room; for a direct room returns the one that these people have. */
  @Post()
  @Throttled('rooms')
  create(@CurrentActor() actor: Actor, @Body() body: CreateRoomDto): Promise<{ room: Room }> {
    return this.rooms.create(actor, body);
  }

  /** The room as the caller sees it. */
  @Get(':roomId')
  show(@CurrentActor() actor: Actor, @Param() { roomId }: RoomRefDto): Promise<Room> {
    return this.rooms.show(actor, roomId);
  }

  /** Name, topic, slow mode, archived. */
  @Patch(':roomId')
  update(
    @CurrentActor() actor: Actor,
    @Param() { roomId }: RoomRefDto,
    @Body() body: RoomChangesDto,
  ): Promise<{ room: Room }> {
    return this.settings.update(actor, { ...body, roomId });
  }

  /** Archives the room: nothing that was said is lost. */
  @Delete(':roomId')
  @HttpCode(200)
  archive(@CurrentActor() actor: Actor, @Param() { roomId }: RoomRefDto): Promise<{ room: Room }> {
    return this.settings.update(actor, { roomId, archived: true });
  }
}

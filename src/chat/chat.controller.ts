import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Page } from '../contract/rest.js';
import type { RoomSummary } from '../contract/views.js';
import type { Actor } from '../platform/identity/actor.js';
import { CurrentActor } from '../platform/identity/current-actor.decorator.js';
import { ListRoomsDto, RoomRefDto } from '../rooms/dto/rooms.dto.js';
import { NewSignalDto } from './dto/chat.dto.js';
import { RoomList } from './room-list.js';
import { Signals } from './signals.js';

/** What composes rooms, messages and sockets, over REST. */
@ApiTags('rooms')
@ApiBearerAuth()
@Controller('rooms')
export class ChatController {
  constructor(
    private readonly roomList: RoomList,
    private readonly signals: Signals,
  ) {}

  /** One's rooms with unread counts and the last message, by room id. */
  @Get()
  list(@CurrentActor() actor: Actor, @Query() query: ListRoomsDto): Promise<Page<RoomSummary>> {
    return this.roomList.page(actor, query);
  }

  /** An ephemeral event to the room's sockets. */
  @Post(':roomId/signals')
  @HttpCode(204)
  signal(
    @CurrentActor() actor: Actor,
    @Param() { roomId }: RoomRefDto,
    @Body() signal: NewSignalDto,
  ): Promise<void> {
    return this.signals.sendFromRest(actor, { ...signal, roomId });
  }
}

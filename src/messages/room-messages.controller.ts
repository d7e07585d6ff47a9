import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiTags } from '@nestjs/swagger';
import type { SentMessage } from '../contract/chat.js';
import type { Page } from '../contract/rest.js';
import type { Message, ReadState, SyncPage } from '../contract/views.js';
import type { Actor } from '../platform/identity/actor.js';
import { CurrentActor } from '../platform/identity/current-actor.decorator.js';
import { Throttled } from '../platform/throttling/throttle.interceptor.js';
import { RoomRefDto } from '../rooms/dto/rooms.dto.js';
import { ChangesQueryDto, HistoryQueryDto } from './dto/message-queries.dto.js';
import { NewMessageDto, ReadPositionDto } from './dto/messages.dto.js';
import { MessageLog } from './message-log.service.js';
import { MessagesService } from './messages.service.js';
import { ReadStates } from './read-states.service.js';

/** The messages of a room over REST. */
@ApiTags('messages')
@ApiBearerAuth()
@Controller('rooms/:roomId')
export class RoomMessagesController {
  constructor(
    private readonly messages: MessagesService,
    private readonly log: MessageLog,
    private readonly readStates: ReadStates,
  ) {}

  /** A page of history, oldest first. Without `before`, `after` or `around`: the newest. */
  @Get('messages')
  history(
    @CurrentActor() actor: Actor,
    @Param() { roomId }: RoomRefDto,
    @Query() query: HistoryQueryDto,
  ): Promise<Page<Message>> {
    return this.log.page(actor, { ...query, roomId });
  }

  /** Sends a message. Repeating it with the same key returns the first result, for ever. */
  @Post('messages')
  @Throttled('sends')
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'The clientMessageId of the message, 1 to 64 characters',
  })
  send(
    @CurrentActor() actor: Actor,
    @Param() { roomId }: RoomRefDto,
    @Body() body: NewMessageDto,
    @Headers('Idempotency-Key') key: string | undefined,
  ): Promise<SentMessage> {
    return this.messages.sendWithKey(actor, { ...body, roomId }, key);
  }

  /** The room's change log after a position: the same as `room:sync`. */
  @Get('changes')
  changes(
    @CurrentActor() actor: Actor,
    @Param() { roomId }: RoomRefDto,
    @Query() query: ChangesQueryDto,
  ): Promise<SyncPage> {
    return this.log.sync(actor, { ...query, roomId });
  }

  /** Moves one's read position forward. */
  @Post('read')
  @HttpCode(200)
  read(
    @CurrentActor() actor: Actor,
    @Param() { roomId }: RoomRefDto,
    @Body() body: ReadPositionDto,
  ): Promise<{ readState: ReadState }> {
    return this.readStates.read(actor, { ...body, roomId });
  }
}

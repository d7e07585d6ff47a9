import { Body, Controller, Delete, Get, Param, Patch, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Message, ReadState } from '../contract/views.js';
import type { Actor } from '../platform/identity/actor.js';
import { CurrentActor } from '../platform/identity/current-actor.decorator.js';
import { DeletionDto, MessageContentDto, MessageRefDto, ReactionRefDto } from './dto/messages.dto.js';
import { MessagesService } from './messages.service.js';
import { ReadStates } from './read-states.service.js';

/** One message, and what is unread. */
@ApiTags('messages')
@ApiBearerAuth()
@Controller()
export class MessagesController {
  constructor(
    private readonly messages: MessagesService,
    private readonly readStates: ReadStates,
  ) {}

  /** Edits one's own message. */
  @Patch('messages/:messageId')
  edit(
    @CurrentActor() actor: Actor,
    @Param() { messageId }: MessageRefDto,
    @Body() { content }: MessageContentDto,
  ): Promise<{ message: Message }> {
    return this.messages.edit(actor, { messageId, content });
  }

  /** Leaves a tombstone. */
  @Delete('messages/:messageId')
  delete(
    @CurrentActor() actor: Actor,
    @Param() { messageId }: MessageRefDto,
    @Body() { reason }: DeletionDto,
  ): Promise<{ message: Message }> {
    return this.messages.delete(actor, { messageId, reason });
  }

  /** Adds one's reaction; doing it twice is fine. */
  @Put('messages/:messageId/reactions/:emoji')
  react(@CurrentActor() actor: Actor, @Param() reaction: ReactionRefDto): Promise<{ message: Message }> {
    return this.messages.react(actor, { ...reaction, on: true });
  }

  /** Takes one's reaction back. */
  @Delete('messages/:messageId/reactions/:emoji')
  unreact(@CurrentActor() actor: Actor, @Param() reaction: ReactionRefDto): Promise<{ message: Message }> {
    return this.messages.react(actor, { ...reaction, on: false });
  }

  /** Pins a message. */
  @Put('messages/:messageId/pin')
  pin(@CurrentActor() actor: Actor, @Param() { messageId }: MessageRefDto): Promise<{ message: Message }> {
    return this.messages.pin(actor, { messageId, on: true });
  }

  /** Unpins it. */
  @Delete('messages/:messageId/pin')
  unpin(@CurrentActor() actor: Actor, @Param() { messageId }: MessageRefDto): Promise<{ message: Message }> {
    return this.messages.pin(actor, { messageId, on: false });
  }

  /** The rooms with something unread, and the sums. */
  @Get('me/unread')
  unread(@CurrentActor() actor: Actor): Promise<{ unread: number; mentions: number; rooms: ReadState[] }> {
    return this.readStates.unread(actor);
  }
}

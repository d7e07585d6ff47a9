import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { Typing as TypingInput } from '../contract/chat.js';
import { CONTRACT_LIMITS } from '../contract/limits.js';
import { MessagesCommitted } from '../messages/messages.events.js';
import { DomainEvents } from '../platform/events/domain-events.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { Publisher } from '../platform/realtime/publisher.js';
import { Throttle } from '../platform/throttling/throttle.js';
import { RoomAccess } from '../rooms/room-access.service.js';

const EXPIRES_MS = 5000;

interface Running {
  tell(isTyping: boolean): void;
  timer: NodeJS.Timeout;
}

/** Who is typing where: told to the room, never stored; ends with the message, or by itself after 5 s. */
@Injectable()
export class Typing implements OnModuleInit, OnModuleDestroy {
  private readonly running = new Map<string, Running>();

  constructor(
    private readonly access: RoomAccess,
    private readonly throttle: Throttle,
    private readonly publisher: Publisher,
    private readonly events: DomainEvents,
  ) {}

  onModuleInit(): void {
    this.events.on(MessagesCommitted, ({ created }) => {
      if (this.running.size === 0) return;
      for (const message of created) this.end(keyOf(message.sender.id, message));
    });
  }

  async start(actor: Actor, input: TypingInput): Promise<void> {
    const { room } = await this.access.writer(actor, input.roomId);
    if (room.memberCount > CONTRACT_LIMITS.typingMembers)
      throw new AppError(
        'LIMIT_EXCEEDED',
        `Rooms above ${String(CONTRACT_LIMITS.typingMembers)} members have no typing`,
      );
    await this.throttle.check('typing', `${actor.userId} ${input.roomId}`);
    const key = keyOf(actor.userId, input);
    clearTimeout(this.running.get(key)?.timer);
    this.running.set(key, {
      tell: (isTyping) => this.tell(actor, input, isTyping),
      timer: setTimeout(() => this.end(key), EXPIRES_MS),
    });
    this.tell(actor, input, true);
  }

  async stop(actor: Actor, input: TypingInput): Promise<void> {
    await this.access.member(actor, input.roomId);
    this.end(keyOf(actor.userId, input));
  }

  onModuleDestroy(): void {
    for (const { timer } of this.running.values()) clearTimeout(timer);
  }

  private end(key: string): void {
    const running = this.running.get(key);
    if (!running) return;
    clearTimeout(running.timer);
    this.running.delete(key);
    running.tell(false);
  }

  private tell({ userId, username }: Actor, { roomId, threadId }: TypingInput, isTyping: boolean): void {
    const update = { roomId, userId, username, isTyping, ...(threadId !== undefined && { threadId }) };
    this.publisher.chat.toRoom(roomId, 'typing:update', update, [userId]);
  }
}

const keyOf = (userId: string, { roomId, threadId = '' }: TypingInput) => `${roomId} ${threadId} ${userId}`;

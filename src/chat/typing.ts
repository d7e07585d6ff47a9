import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { Typing as TypingInput } from '../contract/commands.js';
import { CONTRACT_LIMITS } from '../contract/limits.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { Publisher } from '../platform/realtime/publisher.js';
import { Throttle } from '../platform/throttling/throttle.js';
import { RoomAccess } from '../rooms/room-access.service.js';

const EXPIRES_MS = 5000;

/** Who is typing where: told to the room, never stored, gone by itself after 5 s. */
@Injectable()
export class Typing implements OnModuleDestroy {
  private readonly running = new Map<string, NodeJS.Timeout>();

  constructor(
    private readonly access: RoomAccess,
    private readonly throttle: Throttle,
    private readonly publisher: Publisher,
  ) {}

  async start(actor: Actor, input: TypingInput): Promise<void> {
    const { room } = await this.access.writer(actor, input.roomId);
    if (room.memberCount > CONTRACT_LIMITS.typingMembers)
      throw new AppError(
        'LIMIT_EXCEEDED',
        `Rooms above ${String(CONTRACT_LIMITS.typingMembers)} members have no typing`,
      );
    await this.throttle.check('typing', `${actor.userId} ${keyOf(actor, input)}`);
    this.tell(actor, input, true);
    clearTimeout(this.running.get(keyOf(actor, input)));
    this.running.set(
      keyOf(actor, input),
      setTimeout(() => this.end(actor, input), EXPIRES_MS),
    );
  }

  async stop(actor: Actor, input: TypingInput): Promise<void> {
    await this.access.member(actor, input.roomId);
    this.end(actor, input);
  }

  onModuleDestroy(): void {
    for (const timer of this.running.values()) clearTimeout(timer);
  }

  private end(actor: Actor, input: TypingInput): void {
    const timer = this.running.get(keyOf(actor, input));
    if (!timer) return;
    clearTimeout(timer);
    this.running.delete(keyOf(actor, input));
    this.tell(actor, input, false);
  }

  private tell({ userId, username }: Actor, { roomId, threadId }: TypingInput, isTyping: boolean): void {
    const update = { roomId, userId, username, isTyping, ...(threadId !== undefined && { threadId }) };
    this.publisher.toRoom(roomId, 'typing:update', update, [userId]);
  }
}

const keyOf = (actor: Actor, { roomId, threadId = '' }: TypingInput) =>
  `${roomId} ${threadId} ${actor.userId}`;

import { Injectable, type OnModuleInit } from '@nestjs/common';
import { CONTRACT_LIMITS } from '../contract/limits.js';
import { DomainEvents } from '../platform/events/domain-events.js';
import { Metrics } from '../platform/metrics/metrics.js';
import { Publisher } from '../platform/realtime/publisher.js';
import { RoomSubscriptions } from '../platform/realtime/room-subscriptions.js';
import { MemberJoined } from '../rooms/rooms.events.js';
import { MessageChanged, MessageCreated, MessagesRead } from './messages.events.js';
import { ReadCursors } from './read-cursors.js';
import { ReadStates } from './read-states.service.js';

/** Facts about messages -> `message:*` events to the room, `room:read-state` to those whose counts they change. */
@Injectable()
export class MessagesBroadcaster implements OnModuleInit {
  constructor(
    private readonly events: DomainEvents,
    private readonly publisher: Publisher,
    private readonly subscriptions: RoomSubscriptions,
    private readonly readStates: ReadStates,
    private readonly cursors: ReadCursors,
    private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    this.events.on(MessageCreated, (event) => this.created(event));
    this.events.on(MessageChanged, (event) => this.changed(event));
    this.events.on(MessagesRead, (event) => this.read(event));
    this.events.on(MemberJoined, ({ roomId, userId }) => this.tellReadStates(roomId, [userId]));
  }

  private created({ message, committedAt }: MessageCreated): Promise<void> | undefined {
    this.publisher.toRoom(message.roomId, 'message:new', message);
    this.metrics.delivered(performance.now() - committedAt);
    if (message.mentions.length === 0 || message.threadId !== undefined) return undefined;
    return this.tellReadStates(
      message.roomId,
      this.onlineAmong(message.roomId, message.mentions, message.sender.id),
    );
  }

  private changed({ message, hiddenFrom, committedAt }: MessageChanged): Promise<void> | undefined {
    this.publisher.toRoom(
      message.roomId,
      message.deletedAt ? 'message:deleted' : 'message:updated',
      message,
      hiddenFrom,
    );
    this.metrics.delivered(performance.now() - committedAt);
    // In a very large room members derive it from the tombstone.
    if (!message.deletedAt || message.threadId !== undefined) return undefined;
    const users = [...this.subscriptions.usersIn(message.roomId)];
    return users.length > CONTRACT_LIMITS.typingMembers
      ? undefined
      : this.tellReadStates(message.roomId, users);
  }

  private read({ roomId, userId, seq, memberCount }: MessagesRead): Promise<void> {
    if (memberCount <= CONTRACT_LIMITS.readCursorMembers) this.cursors.moved(roomId, userId, seq);
    return this.tellReadStates(roomId, [userId]);
  }

  /** Who is here of the mentioned; `@room` is everybody. */
  private onlineAmong(roomId: string, mentions: string[], senderId: string): string[] {
    const online = this.subscriptions.usersIn(roomId);
    online.delete(senderId);
    return mentions.includes('@room') ? [...online] : mentions.filter((userId) => online.has(userId));
  }

  private async tellReadStates(roomId: string, userIds: string[]): Promise<void> {
    for (const { userId, state } of await this.readStates.ofUsers(roomId, userIds))
      this.publisher.toUsers([userId], 'room:read-state', state);
  }
}

import { Injectable, type OnModuleInit } from '@nestjs/common';
import pLimit from 'p-limit';
import { CONTRACT_LIMITS } from '../contract/limits.js';
import { DomainEvents } from '../platform/events/domain-events.js';
import { Metrics } from '../platform/metrics/metrics.js';
import { Connections } from '../platform/realtime/connections.js';
import { Publisher } from '../platform/realtime/publisher.js';
import { RoomSubscriptions } from '../platform/realtime/room-subscriptions.js';
import { MemberJoined } from '../rooms/rooms.events.js';
import { MessageChanged, MessageCreated, MessagesRead } from './messages.events.js';
import { ReadCursors } from './read-cursors.js';
import { ReadStates } from './read-states.service.js';

/** Facts about messages -> `message:*` events to the room, `room:read-state` to those whose counts they change. */
@Injectable()
export class MessagesBroadcaster implements OnModuleInit {
  /** Hints must not take the connections that writers and readers need: one at a time. */
  private readonly oneByOne = pLimit(1);

  constructor(
    private readonly events: DomainEvents,
    private readonly publisher: Publisher,
    private readonly subscriptions: RoomSubscriptions,
    private readonly connections: Connections,
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
    this.publisher.chat.toRoom(message.roomId, 'message:new', message);
    this.metrics.delivered(performance.now() - committedAt);
    if (message.mentions.length === 0 || message.threadId !== undefined) return undefined;
    if (message.mentions.includes('@room')) return this.tellRoom(message.roomId, message.sender.id);
    const online = message.mentions.filter((userId) => this.connections.isOnline(userId));
    return this.tellReadStates(message.roomId, online);
  }

  private changed({ message, hiddenFrom, committedAt }: MessageChanged): Promise<void> | undefined {
    this.publisher.chat.toRoom(
      message.roomId,
      message.deletedAt ? 'message:deleted' : 'message:updated',
      message,
      hiddenFrom,
    );
    this.metrics.delivered(performance.now() - committedAt);
    if (!message.deletedAt || message.threadId !== undefined) return undefined;
    return this.tellRoom(message.roomId);
  }

  private read({ roomId, userId, seq, memberCount }: MessagesRead): Promise<void> {
    if (memberCount <= CONTRACT_LIMITS.readCursorMembers) this.cursors.moved(roomId, userId, seq);
    return this.tellReadStates(roomId, [userId]);
  }

  /** Everybody here; in a very large room members derive their counts from the message itself. */
  private tellRoom(roomId: string, senderId?: string): Promise<void> | undefined {
    const online = this.subscriptions.usersIn(roomId);
    if (online.size > CONTRACT_LIMITS.typingMembers) return undefined;
    return this.tellReadStates(
      roomId,
      [...online].filter((userId) => userId !== senderId),
    );
  }

  private tellReadStates(roomId: string, userIds: string[]): Promise<void> {
    return this.oneByOne(async () => {
      for (const { userId, state } of await this.readStates.ofUsers(roomId, userIds))
        this.publisher.chat.toUsers([userId], 'room:read-state', state);
    });
  }
}

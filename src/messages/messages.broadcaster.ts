import { Injectable, type OnModuleInit } from '@nestjs/common';
import pLimit from 'p-limit';
import { CONTRACT_LIMITS } from '../contract/limits.js';
import type { Message } from '../contract/views.js';
import { DomainEvents } from '../platform/events/domain-events.js';
import { Metrics } from '../platform/metrics/metrics.js';
import { Connections } from '../platform/realtime/connections.js';
import { Publisher } from '../platform/realtime/publisher.js';
import { RoomSubscriptions } from '../platform/realtime/room-subscriptions.js';
import { MemberJoined } from '../rooms/rooms.events.js';
import { MessagesCommitted, MessagesRead, type CommittedChange } from './messages.events.js';
import { ReadCursors } from './read-cursors.js';
import { ReadStates } from './read-states.service.js';
import { RoomFeed } from './room-feed.js';

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
    private readonly feed: RoomFeed,
    private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    this.events.on(MessagesCommitted, (event) => this.committed(event));
    this.events.on(MessagesRead, (event) => this.read(event));
    this.events.on(MemberJoined, ({ roomId, userId }) => this.tellHere(roomId, [userId]));
  }

  private committed({ roomId, changes, committedAt }: MessagesCommitted): Promise<void> | undefined {
    const hints: Promise<void>[] = [];
    for (const run of runsOf(this.feed.take(roomId, changes))) {
      this.tell(roomId, run);
      this.metrics.delivered(performance.now() - committedAt);
      for (const change of run) {
        const hint = this.tellCounts(change);
        if (hint) hints.push(hint);
      }
    }
    return hints.length > 0 ? Promise.all(hints).then(() => undefined) : undefined;
  }

  private tell(roomId: string, run: readonly CommittedChange[]): void {
    const created: Message[] = [];
    for (const change of run) {
      if (change.kind === 'created') created.push(change.message);
      else this.changed(change.message, change.hiddenFrom);
    }
    this.publisher.chat.created(roomId, created);
  }

  private changed(message: Message, hiddenFrom: readonly string[]): void {
    const event = message.deletedAt ? 'message:deleted' : 'message:updated';
    this.publisher.chat.here.toRoom(message.roomId, event, message, hiddenFrom);
  }

  /** Those whose counts it changes in a way they cannot derive from the message. */
  private tellCounts({ kind, message }: CommittedChange): Promise<void> | undefined {
    const { roomId, threadId, mentions, sender } = message;
    if (threadId !== undefined) return undefined;
    if (kind === 'changed') return message.deletedAt ? this.tellRoom(roomId) : undefined;
    if (mentions.length === 0) return undefined;
    if (mentions.includes('@room')) return this.tellRoom(roomId, sender.id);
    return this.tellHere(
      roomId,
      mentions.filter((userId) => this.connections.isOnline(userId)),
    );
  }

  private read({ roomId, userId, seq, memberCount }: MessagesRead): Promise<void> {
    if (memberCount <= CONTRACT_LIMITS.readCursorMembers) this.cursors.moved(roomId, userId, seq);
    return this.tellReadStates(roomId, [userId], this.publisher.chat);
  }

  /** Everybody here; in a very large room members derive their counts from the message itself. */
  private tellRoom(roomId: string, senderId?: string): Promise<void> | undefined {
    const online = this.subscriptions.usersIn(roomId);
    if (online.size > CONTRACT_LIMITS.typingMembers) return undefined;
    return this.tellHere(
      roomId,
      [...online].filter((userId) => userId !== senderId),
    );
  }

  /** What every node hears of, each tells its own sockets. */
  private tellHere(roomId: string, userIds: string[]): Promise<void> {
    return this.tellReadStates(roomId, userIds, this.publisher.chat.here);
  }

  private tellReadStates(
    roomId: string,
    userIds: string[],
    publisher: Pick<Publisher['chat'], 'toUsers'>,
  ): Promise<void> {
    return this.oneByOne(async () => {
      for (const { userId, state } of await this.readStates.ofUsers(roomId, userIds))
        publisher.toUsers([userId], 'room:read-state', state);
    });
  }
}

/** Neighbours of one kind together. The order stays that of `rev`. */
function* runsOf(changes: readonly CommittedChange[]): Generator<readonly CommittedChange[]> {
  for (let from = 0, to = 1; from < changes.length; from = to, to += 1) {
    while (changes[to]?.kind === changes[from]?.kind) to += 1;
    yield changes.slice(from, to);
  }
}

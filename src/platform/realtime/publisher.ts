import { Injectable } from '@nestjs/common';
import type { EventsOf, NamespaceName } from '../../contract/namespaces.js';
import type { Message } from '../../contract/views.js';
import { Metrics } from '../metrics/metrics.js';
import type { Traffic } from '../metrics/traffic.js';
import { framesOf } from './batch-frames.js';
import { FrameQueue } from './frame-queue.js';
import { batchChannel, roomChannel, userChannel, type RealtimeSocket } from './realtime-socket.js';
import { RealtimeServer, type RealtimeNamespace } from './realtime-server.js';

/**
 * What leaves through one namespace, typed by its event map. Each send counts the sockets it goes to by the sizes of
 * Socket.IO's rooms: a look-up or two, next to nothing beside the sending.
 */
class NamespacePublisher<Events> {
  constructor(
    protected readonly server: RealtimeServer,
    private readonly name: NamespaceName,
    protected readonly traffic: Traffic,
    /** To the sockets of this node only: what is sent is sent by every node. */
    private readonly isLocal = false,
  ) {}

  toUsers<E extends keyof Events & string>(userIds: readonly string[], event: E, payload: Events[E]): void {
    // Socket.IO takes an empty list of rooms for "everybody".
    if (userIds.length === 0) return;
    const namespace = this.namespace();
    const channels = [...new Set(userIds)].map(userChannel);
    for (const channel of channels) this.traffic.sent(sizeOf(namespace, channel));
    this.to(namespace, channels).emit(event, payload);
  }

  /** To everybody in the namespace. */
  toAll<E extends keyof Events & string>(event: E, payload: Events[E]): void {
    const namespace = this.namespace();
    this.traffic.sent(namespace.sockets.size);
    namespace.emit(event, payload);
  }

  toSocket<E extends keyof Events & string>(socket: RealtimeSocket, event: E, payload: Events[E]): void {
    this.traffic.sent(1);
    socket.emit(event, payload);
  }

  protected namespace(): RealtimeNamespace {
    return this.server.namespace(this.name);
  }

  protected to(namespace: RealtimeNamespace, channels: string | string[]) {
    return this.isLocal ? namespace.local.to(channels) : namespace.to(channels);
  }
}

/** `/chat` has rooms too. */
class ChatPublisher extends NamespacePublisher<EventsOf['/chat']> {
  /** For facts that every node hears of by itself. */
  readonly here: ChatPublisher;

  constructor(
    server: RealtimeServer,
    traffic: Traffic,
    private readonly frames: FrameQueue,
    isLocal = false,
  ) {
    super(server, '/chat', traffic, isLocal);
    this.here = isLocal ? this : new ChatPublisher(server, traffic, frames, true);
  }

  toRoom<E extends keyof EventsOf['/chat']>(
    roomId: string,
    event: E,
    payload: EventsOf['/chat'][E],
    exceptUsers: readonly string[] = [],
  ): void {
    const namespace = this.namespace();
    const channel = roomChannel(roomId);
    const except = exceptUsers.map(userChannel);
    this.traffic.sent(sizeOf(namespace, channel) - bothIn(namespace, channel, except));
    this.to(namespace, channel).except(except).emit(event, payload);
  }

  /**
   * New messages of a room that follow each other by `rev`: in batches to those who take them, to the others one by
   * one. On this node only: every node hears of them by itself.
   */
  created(roomId: string, messages: readonly Message[]): void {
    const namespace = this.namespace();
    const batching = messages.length > 1 ? sizeOf(namespace, batchChannel(roomId)) : 0;
    const inRoom = socketsOf(namespace, roomChannel(roomId));
    const others = batching === 0 ? inRoom : outside(inRoom, socketsOf(namespace, batchChannel(roomId)));
    this.traffic.sent(others.size * messages.length);
    this.frames.broadcast(namespace, others, 'message:new', messages);
    if (batching === 0) return;
    const toBatching = namespace.local.to(batchChannel(roomId));
    for (const frame of framesOf(messages)) {
      this.traffic.sent(batching);
      if (frame.length === 1) toBatching.emit('message:new', frame[0]);
      else toBatching.emit('message:batch', { roomId, messages: frame });
    }
  }

  /** To everyone in the room but one socket. */
  toRoomFrom<E extends keyof EventsOf['/chat']>(
    socket: RealtimeSocket,
    roomId: string,
    event: E,
    payload: EventsOf['/chat'][E],
  ): void {
    const channel = roomChannel(roomId);
    this.traffic.sent(sizeOf(this.namespace(), channel) - (socket.rooms.has(channel) ? 1 : 0));
    socket.to(channel).emit(event, payload);
  }
}

/** The one door out: every event of every namespace leaves here. Call it after COMMIT. */
@Injectable()
export class Publisher {
  readonly chat: ChatPublisher;
  readonly presence: NamespacePublisher<EventsOf['/presence']>;
  readonly notifications: NamespacePublisher<EventsOf['/notifications']>;
  readonly admin: NamespacePublisher<EventsOf['/admin']>;

  constructor(server: RealtimeServer, { traffic }: Metrics, frames: FrameQueue) {
    this.chat = new ChatPublisher(server, traffic, frames);
    this.presence = new NamespacePublisher(server, '/presence', traffic);
    this.notifications = new NamespacePublisher(server, '/notifications', traffic);
    this.admin = new NamespacePublisher(server, '/admin', traffic);
  }
}

const NOBODY: ReadonlySet<string> = new Set();

/** By their ids. */
function socketsOf({ adapter }: RealtimeNamespace, channel: string): ReadonlySet<string> {
  return adapter.rooms.get(channel) ?? NOBODY;
}

function sizeOf(namespace: RealtimeNamespace, channel: string): number {
  return socketsOf(namespace, channel).size;
}

/** The sockets that are not in a part of them. */
function outside(all: ReadonlySet<string>, part: ReadonlySet<string>): ReadonlySet<string> {
  return all.size > part.size ? new Set([...all].filter((socketId) => !part.has(socketId))) : NOBODY;
}

/** How many sockets of the channels are in the room: as many steps as the few that are left out have sockets. */
function bothIn({ adapter }: RealtimeNamespace, room: string, channels: readonly string[]): number {
  const there = adapter.rooms.get(room);
  let count = 0;
  for (const channel of channels)
    for (const socketId of adapter.rooms.get(channel) ?? []) if (there?.has(socketId)) count += 1;
  return count;
}

import { Injectable } from '@nestjs/common';
import type { EventsOf, NamespaceName } from '../../contract/namespaces.js';
import { Metrics } from '../metrics/metrics.js';
import type { Traffic } from '../metrics/traffic.js';
import { roomChannel, userChannel, type RealtimeSocket } from './realtime-socket.js';
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
  ) {}

  toUsers<E extends keyof Events & string>(userIds: readonly string[], event: E, payload: Events[E]): void {
    // Socket.IO takes an empty list of rooms for "everybody".
    if (userIds.length === 0) return;
    const namespace = this.namespace();
    const channels = [...new Set(userIds)].map(userChannel);
    for (const channel of channels) this.traffic.sent(sizeOf(namespace, channel));
    namespace.to(channels).emit(event, payload);
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
}

/** `/chat` has rooms too. */
class ChatPublisher extends NamespacePublisher<EventsOf['/chat']> {
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
    namespace.to(channel).except(except).emit(event, payload);
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

  constructor(server: RealtimeServer, { traffic }: Metrics) {
    this.chat = new ChatPublisher(server, '/chat', traffic);
    this.presence = new NamespacePublisher(server, '/presence', traffic);
    this.notifications = new NamespacePublisher(server, '/notifications', traffic);
    this.admin = new NamespacePublisher(server, '/admin', traffic);
  }
}

function sizeOf({ adapter }: RealtimeNamespace, channel: string): number {
  return adapter.rooms.get(channel)?.size ?? 0;
}

/** How many sockets of the channels are in the room: as many steps as the few that are left out have sockets. */
function bothIn({ adapter }: RealtimeNamespace, room: string, channels: readonly string[]): number {
  const there = adapter.rooms.get(room);
  let count = 0;
  for (const channel of channels)
    for (const socketId of adapter.rooms.get(channel) ?? []) if (there?.has(socketId)) count += 1;
  return count;
}

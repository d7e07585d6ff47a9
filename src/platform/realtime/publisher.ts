import { Injectable } from '@nestjs/common';
import type { EventsOf, NamespaceName } from '../../contract/namespaces.js';
import { roomChannel, userChannel, type RealtimeSocket } from './realtime-socket.js';
import { RealtimeServer } from './realtime-server.js';

/** What leaves through one namespace, typed by its event map. */
class NamespacePublisher<Events> {
  constructor(
    protected readonly server: RealtimeServer,
    private readonly name: NamespaceName,
  ) {}

  toUsers<E extends keyof Events & string>(userIds: readonly string[], event: E, payload: Events[E]): void {
    // Socket.IO takes an empty list of rooms for "everybody".
    if (userIds.length > 0) this.namespace().to(userIds.map(userChannel)).emit(event, payload);
  }

  /** To everybody in the namespace. */
  toAll<E extends keyof Events & string>(event: E, payload: Events[E]): void {
    this.namespace().emit(event, payload);
  }

  toSocket<E extends keyof Events & string>(socket: RealtimeSocket, event: E, payload: Events[E]): void {
    socket.emit(event, payload);
  }

  protected namespace() {
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
    this.namespace().to(roomChannel(roomId)).except(exceptUsers.map(userChannel)).emit(event, payload);
  }

  /** To everyone in the room but one socket. */
  toRoomFrom<E extends keyof EventsOf['/chat']>(
    socket: RealtimeSocket,
    roomId: string,
    event: E,
    payload: EventsOf['/chat'][E],
  ): void {
    socket.to(roomChannel(roomId)).emit(event, payload);
  }
}

/** The one door out: every event of every namespace leaves here. Call it after COMMIT. */
@Injectable()
export class Publisher {
  readonly chat: ChatPublisher;
  readonly presence: NamespacePublisher<EventsOf['/presence']>;
  readonly notifications: NamespacePublisher<EventsOf['/notifications']>;
  readonly admin: NamespacePublisher<EventsOf['/admin']>;

  constructor(server: RealtimeServer) {
    this.chat = new ChatPublisher(server, '/chat');
    this.presence = new NamespacePublisher(server, '/presence');
    this.notifications = new NamespacePublisher(server, '/notifications');
    this.admin = new NamespacePublisher(server, '/admin');
  }
}

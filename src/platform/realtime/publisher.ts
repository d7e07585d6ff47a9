import { Injectable } from '@nestjs/common';
import type { ChatEvents } from '../../contract/events.js';
import { roomChannel, userChannel, type RealtimeSocket } from './realtime-socket.js';
import { RealtimeServer } from './realtime-server.js';

/** The one door out: every event of `/chat` leaves here, typed by the event map. Call it after COMMIT. */
@Injectable()
export class Publisher {
  constructor(private readonly server: RealtimeServer) {}

  toRoom<E extends keyof ChatEvents>(
    roomId: string,
    event: E,
    payload: ChatEvents[E],
    exceptUsers: readonly string[] = [],
  ): void {
    this.chat().to(roomChannel(roomId)).except(exceptUsers.map(userChannel)).emit(event, payload);
  }

  /** To everyone in the room but one socket. */
  toRoomFrom<E extends keyof ChatEvents>(
    socket: RealtimeSocket,
    roomId: string,
    event: E,
    payload: ChatEvents[E],
  ): void {
    socket.to(roomChannel(roomId)).emit(event, payload);
  }

  toUsers<E extends keyof ChatEvents>(userIds: readonly string[], event: E, payload: ChatEvents[E]): void {
    // Socket.IO takes an empty list of rooms for "everybody".
    if (userIds.length > 0) this.chat().to(userIds.map(userChannel)).emit(event, payload);
  }

  toSocket<E extends keyof ChatEvents>(socket: RealtimeSocket, event: E, payload: ChatEvents[E]): void {
    socket.emit(event, payload);
  }

  private chat() {
    return this.server.namespace('/chat');
  }
}

import { Injectable } from '@nestjs/common';
import { RealtimeServer } from './realtime-server.js';
import { roomChannel, userChannel, type RealtimeSocket } from './realtime-socket.js';

/**
 * Which sockets of `/chat` receive the events of which rooms, on this node. It follows memberships: whoever
 * ends one also unsubscribes here, after COMMIT.
 */
@Injectable()
export class RoomSubscriptions {
  constructor(private readonly server: RealtimeServer) {}

  async subscribe(socket: RealtimeSocket, roomIds: readonly string[]): Promise<void> {
    await socket.join(roomIds.map(roomChannel));
  }

  async unsubscribe(socket: RealtimeSocket, roomId: string): Promise<void> {
    await socket.leave(roomChannel(roomId));
  }

  /** All sockets of a user, as when they join or are added. */
  subscribeUser(userId: string, roomId: string): void {
    this.chat().in(userChannel(userId)).socketsJoin(roomChannel(roomId));
  }

  unsubscribeUser(userId: string, roomId: string): void {
    this.chat().in(userChannel(userId)).socketsLeave(roomChannel(roomId));
  }

  isSubscribed(socket: RealtimeSocket, roomId: string): boolean {
    return socket.rooms.has(roomChannel(roomId));
  }

  /** The users who are connected and in the room, on this node. Walks the room's sockets. */
  usersIn(roomId: string): Set<string> {
    const users = new Set<string>();
    const chat = this.chat();
    for (const socketId of chat.adapter.rooms.get(roomChannel(roomId)) ?? []) {
      const socket = chat.sockets.get(socketId);
      if (socket) users.add(socket.data.actor.userId);
    }
    return users;
  }

  private chat() {
    return this.server.namespace('/chat');
  }
}

import { Injectable } from '@nestjs/common';
import { RoomBus } from '../cluster/room-bus.js';
import { RealtimeServer, type RealtimeNamespace } from './realtime-server.js';
import { batchChannel, roomChannel, userChannel, type RealtimeSocket } from './realtime-socket.js';

/** How the channels of rooms begin. */
const ROOM_CHANNELS = roomChannel('');

/**
 * Which sockets of `/chat` receive the events of which rooms, on this node. It follows memberships: whoever
 * ends one also unsubscribes here, after COMMIT.
 */
@Injectable()
export class RoomSubscriptions {
  /** By room: its users, with the number of their sockets there. A room without sockets has no entry. */
  private readonly users = new Map<string, Map<string, number>>();
  private followed: RealtimeNamespace | undefined;

  constructor(
    private readonly server: RealtimeServer,
    private readonly bus: RoomBus,
  ) {}

  async subscribe(socket: RealtimeSocket, roomIds: readonly string[]): Promise<void> {
    this.chat();
    await this.bus.host(roomIds);
    await socket.join(roomIds.map(roomChannel));
    // Gone in the meantime: then nobody of this node is there.
    for (const roomId of roomIds) if (!this.users.has(roomId)) this.bus.release(roomId);
  }

  async unsubscribe(socket: RealtimeSocket, roomId: string): Promise<void> {
    await socket.leave(roomChannel(roomId));
  }

  /** All sockets of a user on this node, as when they join or are added. */
  subscribeUser(userId: string, roomId: string): void {
    this.chat().local.in(userChannel(userId)).socketsJoin(roomChannel(roomId));
  }

  unsubscribeUser(userId: string, roomId: string): void {
    this.chat().local.in(userChannel(userId)).socketsLeave(roomChannel(roomId));
  }

  isSubscribed(socket: RealtimeSocket, roomId: string): boolean {
    return socket.rooms.has(roomChannel(roomId));
  }

  /** The users who are connected and in the room, on this node. A copy, for the caller to change. */
  usersIn(roomId: string): Set<string> {
    return new Set(this.users.get(roomId)?.keys());
  }

  /** Rooms with somebody connected, on this node. */
  roomCount(): number {
    return this.users.size;
  }

  /** How many users are connected and in the room, on this node. */
  onlineCount(roomId: string): number {
    return this.users.get(roomId)?.size ?? 0;
  }

  /** How many of these users are among them: as many steps as the smaller of the two has users. */
  countAmong(roomId: string, userIds: ReadonlySet<string>): number {
    const there = this.users.get(roomId);
    if (!there) return 0;
    let count = 0;
    if (userIds.size < there.size) {
      for (const userId of userIds) if (there.has(userId)) count += 1;
    } else for (const userId of there.keys()) if (userIds.has(userId)) count += 1;
    return count;
  }

  /** The namespace, whose every join and leave is followed: the adapter tells of all, also those of a disconnect. */
  private chat(): RealtimeNamespace {
    const chat = this.server.namespace('/chat');
    if (this.followed !== chat) {
      this.followed = chat;
      chat.adapter.on('join-room', (channel: string, socketId: string) => this.follow(channel, socketId, 1));
      chat.adapter.on('leave-room', (channel: string, socketId: string) =>
        this.follow(channel, socketId, -1),
      );
    }
    return chat;
  }

  private follow(channel: string, socketId: string, change: 1 | -1): void {
    if (!channel.startsWith(ROOM_CHANNELS)) return;
    // Still known when it leaves: Socket.IO forgets a socket after it has left its rooms.
    const socket = this.followed?.sockets.get(socketId);
    if (!socket) return;
    const roomId = channel.slice(ROOM_CHANNELS.length);
    this.count(roomId, socket.data.actor.userId, change);
    // On the node the socket is on, whoever asked for the change: the two channels never differ by a step.
    if (socket.data.batch) void socket[change > 0 ? 'join' : 'leave'](batchChannel(roomId));
  }

  private count(roomId: string, userId: string, change: 1 | -1): void {
    const users = this.users.get(roomId) ?? new Map<string, number>();
    const sockets = (users.get(userId) ?? 0) + change;
    if (sockets > 0) users.set(userId, sockets);
    else users.delete(userId);
    if (users.size > 0) {
      // Where a socket was not asked first, as when its user was added to the room.
      if (!this.users.has(roomId)) void this.bus.host([roomId]);
      this.users.set(roomId, users);
    } else {
      this.users.delete(roomId);
      this.bus.release(roomId);
    }
  }
}

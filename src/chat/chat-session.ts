import { Inject, Injectable } from '@nestjs/common';
import { CONTRACT_LIMITS } from '../contract/limits.js';
import type { Config } from '../platform/config/config.js';
import { CONFIG } from '../platform/config/config.module.js';
import { Connections } from '../platform/realtime/connections.js';
import { Publisher } from '../platform/realtime/publisher.js';
import type { RealtimeSocket } from '../platform/realtime/realtime-socket.js';
import { RoomSubscriptions } from '../platform/realtime/room-subscriptions.js';
import { RoomAccess } from '../rooms/room-access.service.js';
import { RoomsService } from '../rooms/rooms.service.js';

/** Brings a new socket of `/chat` up: registered, subscribed to its user's rooms, then told that it is ready. */
@Injectable()
export class ChatSession {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly connections: Connections,
    private readonly subscriptions: RoomSubscriptions,
    private readonly access: RoomAccess,
    private readonly rooms: RoomsService,
    private readonly publisher: Publisher,
  ) {}

  async open(socket: RealtimeSocket): Promise<void> {
    await this.connections.open(socket, async () => {
      await this.subscribeToRooms(socket);
      this.ready(socket);
    });
  }

  /** Read, subscribe, read again until nothing has changed meanwhile: a membership that ended must not stay subscribed. */
  private async subscribeToRooms(socket: RealtimeSocket): Promise<void> {
    const { actor } = socket.data;
    let pending = await this.access.roomIdsOf(actor, CONTRACT_LIMITS.autoSubscribedRooms);
    while (pending.length > 0) {
      await this.subscriptions.subscribe(socket, pending);
      const { positions } = await this.rooms.positions(actor, pending);
      const ended = pending.filter((roomId) => !(roomId in positions));
      for (const roomId of ended) await this.subscriptions.unsubscribe(socket, roomId);
      // Somebody may have been let in again in between.
      pending = ended.length > 0 ? Object.keys((await this.rooms.positions(actor, ended)).positions) : [];
    }
  }

  private ready(socket: RealtimeSocket): void {
    const { actor } = socket.data;
    const { contentLength, frameBytes, sends, commands } = this.config.limits;
    this.publisher.chat.toSocket(socket, 'session:ready', {
      userId: actor.userId,
      expiresAt: new Date(actor.expiresAt).toISOString(),
      limits: { contentLength, frameBytes, sends: { ...sends }, commands: { ...commands } },
      serverTime: new Date().toISOString(),
    });
  }
}

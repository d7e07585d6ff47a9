import { Injectable } from '@nestjs/common';
import { Connections } from '../platform/realtime/connections.js';
import { Publisher } from '../platform/realtime/publisher.js';
import type { RealtimeSocket } from '../platform/realtime/realtime-socket.js';
import { OpenInboxes } from './open-inboxes.js';
import { RoomReading } from './room-reading.service.js';

/** Brings a new socket of `/notifications` up: it begins with the counts. */
@Injectable()
export class NotificationsSession {
  constructor(
    private readonly connections: Connections,
    private readonly reading: RoomReading,
    private readonly inboxes: OpenInboxes,
    private readonly publisher: Publisher,
  ) {}

  async open(socket: RealtimeSocket): Promise<void> {
    await this.connections.open(socket, async () => {
      const { userId } = socket.data.actor;
      await this.reading.catchUp([userId]);
      for (const { counts } of await this.inboxes.counts([userId]))
        this.publisher.notifications.toSocket(socket, 'notification:counts', counts);
    });
  }
}

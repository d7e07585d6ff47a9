import { Injectable } from '@nestjs/common';
import { Connections } from '../platform/realtime/connections.js';
import { Publisher } from '../platform/realtime/publisher.js';
import type { RealtimeSocket } from '../platform/realtime/realtime-socket.js';
import { AdminStatistics } from './admin-statistics.service.js';

/** Brings a new socket of `/admin` up: registered, then shown the statistics. */
@Injectable()
export class AdminSession {
  constructor(
    private readonly connections: Connections,
    private readonly statistics: AdminStatistics,
    private readonly publisher: Publisher,
  ) {}

  async open(socket: RealtimeSocket): Promise<void> {
    await this.connections.open(socket, async () => {
      this.publisher.admin.toSocket(socket, 'admin:stats', await this.statistics.current());
    });
  }
}

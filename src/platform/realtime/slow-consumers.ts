import { Injectable, Logger } from '@nestjs/common';
import { Metrics } from '../metrics/metrics.js';
import { Connections } from './connections.js';
import type { SocketIoClient } from './frame-queue-internals.js';

/** Those whose clients read more slowly than they are sent to: they are told, as far as the bytes get through, and counted. */
@Injectable()
export class SlowConsumers {
  private readonly logger = new Logger(SlowConsumers.name);

  constructor(
    private readonly connections: Connections,
    private readonly metrics: Metrics,
  ) {}

  /** Whoever calls ends the transport: what waits for it cannot wait for a goodbye. */
  cut({ conn, sockets }: SocketIoClient, waitingBytes: number): void {
    // A namespace that is not ours has no users.
    const ours = [...sockets.values()].filter(({ data }) => (data as Partial<typeof data>).actor);
    const userId = ours[0]?.data.actor.userId;
    this.metrics.slowConsumer();
    this.logger.warn(
      { connectionId: ours[0]?.data.connectionId, userId, transport: conn.transport.name, waitingBytes },
      'A connection is cut: its client does not read fast enough',
    );
    this.connections.announceSlow(ours);
  }
}

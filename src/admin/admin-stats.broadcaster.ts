import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { DomainEvents } from '../platform/events/domain-events.js';
import { SocketClosed, SocketOpened } from '../platform/realtime/connections.events.js';
import { Publisher } from '../platform/realtime/publisher.js';
import { AdminStatistics, STATS_MS } from './admin-statistics.service.js';

/** Statistics -> the administrators who watch, every 2 s while there are any; without them there is no timer. */
@Injectable()
export class AdminStatsBroadcaster implements OnModuleInit, OnModuleDestroy {
  private watchers = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly events: DomainEvents,
    private readonly statistics: AdminStatistics,
    private readonly publisher: Publisher,
  ) {}

  onModuleInit(): void {
    this.events.on(SocketOpened, ({ namespace }) => this.count(namespace, 1));
    this.events.on(SocketClosed, ({ namespace }) => this.count(namespace, -1));
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  private count(namespace: string, change: 1 | -1): void {
    if (namespace !== '/admin') return;
    this.watchers += change;
    if (this.watchers > 0) this.timer ??= setInterval(() => this.tell(), STATS_MS);
    else this.rest();
  }

  private rest(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private tell(): void {
    this.publisher.admin.toAll('admin:stats', this.statistics.take());
  }
}

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { AdminStats } from '../contract/admin.js';
import { ConnectionPool } from '../platform/database/connection-pool.js';
import type { Actor } from '../platform/identity/actor.js';
import { assertAdministrator } from '../platform/identity/administrator.js';
import { Metrics } from '../platform/metrics/metrics.js';
import { Connections } from '../platform/realtime/connections.js';
import { OpenConnections } from '../platform/realtime/open-connections.js';
import { RoomSubscriptions } from '../platform/realtime/room-subscriptions.js';
import { Backlog } from './backlog.js';
import { trafficBetween, type TrafficSample } from './traffic-rates.js';

export const STATS_MS = 2000;
/** Instances that share this installation: one, as long as they have no bus between them. */
const NODES = 1;
/** Of the sampling timer, in ms. Fifty ticks a second that never enter JavaScript: nothing to switch off. */
const RESOLUTION_MS = 20;
const NS_PER_MS = 1e6;

/** The installation at one moment. Everything but the backlog is counted in memory anyway; an interval is the difference of two samples. */
@Injectable()
export class AdminStatistics implements OnModuleDestroy {
  private readonly eventLoop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  private before: TrafficSample;
  private taking: Promise<AdminStats> | undefined;
  private last: { takenAt: number; stats: AdminStats } | undefined;

  constructor(
    private readonly metrics: Metrics,
    private readonly connections: Connections,
    private readonly open: OpenConnections,
    private readonly subscriptions: RoomSubscriptions,
    private readonly pool: ConnectionPool,
    private readonly backlog: Backlog,
  ) {
    this.before = this.sample();
    this.eventLoop.enable();
  }

  onModuleDestroy(): void {
    this.eventLoop.disable();
  }

  /** For an administrator who asks: those of at most 2 s ago, or fresh ones. */
  async read(actor: Actor): Promise<AdminStats> {
    assertAdministrator(actor);
    return this.current();
  }

  /** The last ones while they are fresh, so that several who ask do not cut the interval to nothing. A database that does not answer delays them by a moment only. */
  async current(): Promise<AdminStats> {
    if (this.last && performance.now() - this.last.takenAt < STATS_MS) return this.last.stats;
    this.taking ??= this.backlog
      .refreshSoon()
      .then(() => this.take())
      .finally(() => (this.taking = undefined));
    return this.taking;
  }

  /** Ends the interval. The backlog is what the database told last: it may not answer. */
  take(): AdminStats {
    void this.backlog.refresh();
    const now = this.sample();
    const stats: AdminStats = {
      at: new Date().toISOString(),
      nodes: NODES,
      uptimeSeconds: Math.floor(process.uptime()),
      connections: this.open.byNamespace(),
      transports: this.connections.count(),
      users: this.connections.userCount(),
      rooms: this.subscriptions.roomCount(),
      ...trafficBetween(this.before, now),
      eventLoopDelayMs: this.eventLoopDelay(),
      memory: memory(),
      pool: this.pool.usage(),
      queued: { writes: this.metrics.traffic.queuedWrites, ...this.backlog.known },
    };
    this.before = now;
    this.last = { takenAt: now.takenAt, stats };
    return stats;
  }

  private sample(): TrafficSample {
    return { takenAt: performance.now(), totals: this.metrics.traffic.totals() };
  }

  /** What a tick comes late, of the interval. */
  private eventLoopDelay(): AdminStats['eventLoopDelayMs'] {
    const late = (ns: number) =>
      Number.isFinite(ns) ? round(Math.max(0, ns / NS_PER_MS - RESOLUTION_MS)) : 0;
    const delay = { mean: late(this.eventLoop.mean), p99: late(this.eventLoop.percentile(99)) };
    this.eventLoop.reset();
    return delay;
  }
}

function memory(): AdminStats['memory'] {
  const { rss, heapUsed } = process.memoryUsage();
  return { rssBytes: rss, heapUsedBytes: heapUsed };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

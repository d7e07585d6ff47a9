import { Inject, Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { v7 as uuid } from 'uuid';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/config.js';
import { DomainEvents } from '../platform/events/domain-events.js';
import { Readiness } from '../platform/health/readiness.js';
import { ConnectionActive, SocketClosed, SocketOpened } from '../platform/realtime/connections.events.js';
import { PresenceStore, REAP_EVERY_MS, RENEW_EVERY_MS, type DeviceStatus } from './presence.store.js';
import { Roster } from './roster.service.js';

interface LocalDevice {
  userId: string;
  deviceId: string;
  /** In namespaces that count. */
  sockets: number;
  status: DeviceStatus;
  activeAt: number;
}

/** After a failure of the store or the database. */
const RETRY_MS = 1000;
/** Between two looks for what is over: what ends within it is told together. */
const LEAST_WAIT_MS = 20;

/**
 * The devices of this node: sockets -> devices -> `PresenceStore`. A device is one transport, whatever namespaces it is
 * in. What happens within one turn of the event loop goes to the store in one call, in order.
 */
@Injectable()
export class Devices implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(Devices.name);
  private readonly nodeId = uuid();
  private readonly devices = new Map<string, LocalDevice>();
  /** Those that are not away, the one that was inactive longest first. */
  private readonly awake = new Map<string, LocalDevice>();
  /** What the store has to hear of: the device as it is by then, or that it is gone. */
  private pending = new Map<string, LocalDevice>();
  private running: Promise<void> | undefined;
  /** Users whose last device here is gone, with when; the longest ago first. */
  private readonly gone = new Map<string, number>();
  private readonly timers: Partial<Record<'reap' | 'idle' | 'beat' | 'retry', NodeJS.Timeout>> = {};
  private renewedAt = 0;
  private ended = false;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly events: DomainEvents,
    private readonly readiness: Readiness,
    private readonly store: PresenceStore,
    private readonly roster: Roster,
  ) {}

  onModuleInit(): void {
    this.events.on(SocketOpened, (event) => this.opened(event));
    this.events.on(SocketClosed, (event) => this.closed(event));
    this.events.on(ConnectionActive, ({ connectionId }) => this.active(connectionId));
    this.timers.beat = setInterval(() => void this.reap(), REAP_EVERY_MS);
  }

  /** The end of this node: people come back elsewhere or later, so nobody is told; when they were here is kept. */
  async onModuleDestroy(): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    for (const timer of Object.values(this.timers)) clearTimeout(timer);
    await this.running;
    try {
      await this.roster.saveLastSeenNow();
      await this.store.leave(this.nodeId);
    } catch (error) {
      this.logger.error({ err: error }, 'The last presence could not be stored');
    }
  }

  private opened({ userId, connectionId, namespace }: SocketOpened): void {
    if (namespace === '/admin' || this.ended) return;
    const known = this.devices.get(connectionId);
    if (known) {
      known.sockets += 1;
      // As with its first socket: somebody has opened something.
      this.active(connectionId);
      return;
    }
    const device = {
      userId,
      deviceId: connectionId,
      sockets: 1,
      status: 'online' as const,
      activeAt: Date.now(),
    };
    this.devices.set(connectionId, device);
    this.awake.set(connectionId, device);
    this.roster.deviceCame(userId);
    this.tell(device);
    this.watchIdle();
  }

  private closed({ userId, connectionId, namespace }: SocketClosed): void {
    const device = this.devices.get(connectionId);
    if (namespace === '/admin' || !device) return;
    device.sockets -= 1;
    if (device.sockets > 0) return;
    this.devices.delete(connectionId);
    this.awake.delete(connectionId);
    // Everybody leaves because the server does: they come back in a moment.
    if (this.readiness.draining) return;
    this.roster.deviceWent(userId);
    this.gone.delete(userId);
    this.gone.set(userId, Date.now());
    this.tell(device);
  }

  private active(connectionId: string): void {
    const device = this.devices.get(connectionId);
    if (!device) return;
    device.activeAt = Date.now();
    // To the end.
    this.awake.delete(connectionId);
    this.awake.set(connectionId, device);
    if (device.status === 'online') return;
    device.status = 'online';
    this.tell(device);
    this.watchIdle();
  }

  private tell(device: LocalDevice): void {
    // Of what happened to a device meanwhile only its present state counts.
    this.pending.set(device.deviceId, device);
    this.flush();
  }

  private flush(): void {
    if (this.running || this.ended || this.timers.retry) return;
    this.running = this.flushAll()
      .catch((error: unknown) => {
        this.logger.error({ err: error }, 'Presence could not be told; it is tried again');
        this.timers.retry = setTimeout(() => {
          delete this.timers.retry;
          this.flush();
        }, RETRY_MS);
      })
      .finally(() => {
        this.running = undefined;
        if (this.pending.size > 0) this.flush();
      });
  }

  private async flushAll(): Promise<void> {
    while (this.pending.size > 0) {
      // Also waits a turn, so that those who come together share one statement.
      await this.roster.load([...new Set([...this.pending.values()].map(({ userId }) => userId))]);
      const told = this.pending;
      this.pending = new Map();
      try {
        await this.report(told);
      } catch (error) {
        this.pending = new Map([...told, ...this.pending]);
        throw error;
      }
    }
  }

  private async report(told: ReadonlyMap<string, LocalDevice>): Promise<void> {
    const all = [...told.values()].map((device) => ({ ...device }));
    // One that is gone already was there: it is reported too, and then lingers.
    await this.roster.announce(await this.store.report(this.nodeId, all));
    const removed = all.filter(({ sockets }) => sockets === 0);
    if (removed.length === 0) return;
    await this.store.remove(this.nodeId, removed);
    this.reapIn(this.config.presence.offlineMs);
  }

  private async renew(): Promise<void> {
    const known = await this.store.renew(this.nodeId);
    this.renewedAt = Date.now();
    if (known) return;
    for (const device of this.devices.values()) this.pending.set(device.deviceId, device);
    this.flush();
  }

  private reapIn(ms: number): void {
    if (this.timers.reap || this.ended) return;
    this.timers.reap = setTimeout(() => void this.reap(), Math.max(ms, LEAST_WAIT_MS));
  }

  private async reap(): Promise<void> {
    clearTimeout(this.timers.reap);
    delete this.timers.reap;
    try {
      // Before every reaping: a process that was stopped for a while must not take itself for dead.
      if (Date.now() - this.renewedAt >= RENEW_EVERY_MS - LEAST_WAIT_MS) await this.renew();
      const { changes, nextMs } = await this.store.reap();
      if (nextMs !== undefined) this.reapIn(nextMs);
      await this.roster.announce(changes);
    } catch (error) {
      this.logger.error({ err: error }, 'The ends of presence could not be told');
    }
    this.forgetGone();
  }

  /** What is known of users is kept as long as they linger. */
  private forgetGone(): void {
    const over = Date.now() - this.config.presence.offlineMs - RETRY_MS;
    for (const [userId, at] of this.gone) {
      if (at > over) return;
      this.gone.delete(userId);
      this.roster.forget([userId]);
    }
  }

  /** One timer for all: the first of those awake is the next to become away. */
  private watchIdle(): void {
    if (this.timers.idle || this.ended) return;
    const [next] = this.awake.values();
    if (!next) return;
    const wait = next.activeAt + this.config.presence.awayMs - Date.now();
    this.timers.idle = setTimeout(
      () => {
        delete this.timers.idle;
        this.setAway();
        this.watchIdle();
      },
      Math.max(wait, LEAST_WAIT_MS),
    );
  }

  private setAway(): void {
    const since = Date.now() - this.config.presence.awayMs;
    for (const device of this.awake.values()) {
      if (device.activeAt > since) return;
      this.awake.delete(device.deviceId);
      device.status = 'away';
      this.tell(device);
    }
  }
}

import { Inject, Injectable } from '@nestjs/common';
import type { Config } from '../config/config.js';
import { CONFIG } from '../config/config.module.js';
import { AppError } from '../errors/app-error.js';
import { Metrics } from '../metrics/metrics.js';
import { SlidingWindowStore, type Hit, type Window } from './sliding-window.store.js';

/** Where somebody stands in one window, as the `RateLimit-*` headers tell it. */
export interface Quota extends Pick<Window, 'limit'> {
  readonly remaining: number;
  /** Until the next place is given back. */
  readonly resetMs: number;
}

export type TellQuota = (quota: Quota) => void;

/**
 * The limits by name. `commands` is of a connection (of a user over REST), `logins` of an account and of an address,
 * `rooms` of making rooms and inviting people.
 */
export type ThrottleScope =
  | 'commands'
  | 'sends'
  | 'rooms'
  | 'reports'
  | 'typing'
  | 'logins'
  | 'refreshes'
  | 'failedHandshakes'
  | 'refusals'
  | 'confirmations';

/** Refuses what comes too often, with the time to wait. Windows slide; a refused attempt is not counted. */
@Injectable()
export class Throttle {
  private readonly windows: Readonly<Record<ThrottleScope, Window>>;

  constructor(
    @Inject(CONFIG) { limits }: Config,
    private readonly store: SlidingWindowStore,
    private readonly metrics: Metrics,
  ) {
    this.windows = {
      commands: limits.commands,
      sends: limits.sends,
      rooms: limits.rooms,
      reports: limits.reports,
      typing: { limit: 1, windowMs: limits.typingIntervalMs },
      logins: limits.logins,
      // A browser with many tabs refreshes in bursts; guessing a refresh token is hopeless anyway.
      refreshes: { limit: limits.logins.limit * 6, windowMs: limits.logins.windowMs },
      failedHandshakes: limits.failedHandshakes,
      // Mails that ask whether an address is somebody's, of a user and to an address.
      confirmations: { limit: 5, windowMs: 3_600_000 },
      // Refusals before the socket is closed.
      refusals: { limit: 100, windowMs: 10_000 },
    };
  }

  window(scope: ThrottleScope): Window {
    return this.windows[scope];
  }

  /** Throws at once where the store answers at once. */
  check(scope: ThrottleScope, subject: string, tell?: TellQuota): void | Promise<void> {
    const window = this.windows[scope];
    if (window.windowMs === 0) return;
    const hit = this.store.hit(scope, subject, window);
    if (hit instanceof Promise) return hit.then((counted) => this.judge(scope, window, counted, tell));
    this.judge(scope, window, hit, tell);
  }

  private judge(scope: ThrottleScope, { limit }: Window, hit: Hit, tell: TellQuota | undefined): void {
    tell?.({ limit, remaining: hit.remaining, resetMs: hit.resetMs });
    if (hit.allowed) return;
    this.metrics.throttled(scope);
    throw new AppError('RATE_LIMITED', 'Too many requests', { retryAfterMs: hit.retryAfterMs });
  }
}

import { type Hit, SlidingWindowStore } from './sliding-window.store.js';

/** The hits of one key, oldest first; those before `first` have left the window. */
interface HitLog {
  times: number[];
  first: number;
}

/** Expired keys dropped per hit: two, while a hit adds at most one, so the map cannot outgrow the keys in their window for long. */
const SWEPT_PER_HIT = 2;
/** Dead entries of a log are cut off in bulk: `shift` on a long array would cost its length each time. */
const COMPACT_AFTER = 32;

/**
 * A sliding log in the memory of this process: exact, atomic because nothing in `hit` awaits, lost on restart.
 * Memory is one number per allowed hit still in its window. With several instances each counts for itself.
 */
export class MemorySlidingWindowStore extends SlidingWindowStore {
  /** By window, then by key in the order of the newest hit: the front of each inner map is the first to expire. */
  private readonly windows = new Map<number, Map<string, HitLog>>();

  /** The clock must never go back; the default is monotonic. */
  constructor(private readonly now: () => number = () => performance.now()) {
    super();
  }

  hit(key: string, limit: number, windowMs: number): Promise<Hit> {
    return Promise.resolve(this.count(key, limit, windowMs));
  }

  /** Keys held at the moment. */
  get size(): number {
    let keys = 0;
    for (const logs of this.windows.values()) keys += logs.size;
    return keys;
  }

  private count(key: string, limit: number, windowMs: number): Hit {
    const now = this.now();
    for (const [window, logs] of this.windows) sweep(logs, now - window);
    const logs = this.logs(windowMs);
    const log = logs.get(key) ?? { times: [], first: 0 };
    forget(log, now - windowMs);

    const used = log.times.length - log.first;
    if (used >= limit) {
      // Room is made when the hit that stands `limit` places from the end leaves (the oldest, unless the limit was lowered).
      const leaving = log.times[log.times.length - limit] ?? now;
      const retryAfterMs = Math.max(1, Math.ceil(windowMs - (now - leaving)));
      return { allowed: false, retryAfterMs, remaining: 0, resetMs: retryAfterMs };
    }
    log.times.push(now);
    logs.delete(key);
    logs.set(key, log);
    const oldest = log.times[log.first] ?? now;
    return {
      allowed: true,
      retryAfterMs: 0,
      remaining: limit - used - 1,
      resetMs: windowMs - (now - oldest),
    };
  }

  private logs(windowMs: number): Map<string, HitLog> {
    const logs = this.windows.get(windowMs) ?? new Map<string, HitLog>();
    this.windows.set(windowMs, logs);
    return logs;
  }
}

/** A hit exactly `windowMs` old has left: the window is half open. */
function forget(log: HitLog, until: number): void {
  const { times } = log;
  while (log.first < times.length && (times[log.first] ?? Infinity) <= until) log.first++;
  if (log.first >= COMPACT_AFTER && log.first * 2 >= times.length) {
    times.splice(0, log.first);
    log.first = 0;
  }
}

function sweep(logs: Map<string, HitLog>, until: number): void {
  let left = SWEPT_PER_HIT;
  for (const [key, log] of logs) {
    const newest = log.times.at(-1) ?? -Infinity;
    if (newest > until || left-- === 0) return;
    logs.delete(key);
  }
}

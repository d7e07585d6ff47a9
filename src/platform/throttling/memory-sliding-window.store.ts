import { type Hit, SlidingWindowStore } from './sliding-window.store.js';

/** The hits of one key, oldest first; those before `first` have left the window. */
interface HitLog {
  times: number[];
  first: number;
}

interface Place {
  windowMs: number;
  logs: Map<string, HitLog>;
  key: string;
  log: HitLog;
}

/** Keys looked at per hit, while a hit adds at most one: the maps cannot outgrow the keys in their window for long. */
const SWEPT_PER_HIT = 3;
/** Dead entries of a log are cut off in bulk: `shift` on a long array would cost its length each time. */
const COMPACT_AFTER = 32;

/**
 * A sliding log in the memory of this process: exact, atomic because nothing in `hit` awaits, lost on restart.
 * Memory is one number per allowed hit still in its window. With several instances each counts for itself.
 */
export class MemorySlidingWindowStore extends SlidingWindowStore {
  /** By window, then by key. */
  private readonly windows = new Map<number, Map<string, HitLog>>();
  /** Goes round all keys for ever, a few steps with each hit. */
  private readonly round = this.keysInTurn();

  /** The clock must never go back; the default is monotonic. */
  constructor(private readonly now: () => number = () => performance.now()) {
    super();
  }

  hit(key: string, limit: number, windowMs: number): Hit {
    const now = this.now();
    this.sweep(now);
    const log = this.logOf(key, windowMs);
    forget(log, now - windowMs);

    const used = log.times.length - log.first;
    if (used >= limit) {
      // Room is made when the hit that stands `limit` places from the end leaves (the oldest, unless the limit was lowered).
      const leaving = log.times[log.times.length - limit] ?? now;
      const retryAfterMs = Math.max(1, Math.ceil(windowMs - (now - leaving)));
      return { allowed: false, retryAfterMs, remaining: 0, resetMs: retryAfterMs };
    }
    log.times.push(now);
    const oldest = log.times[log.first] ?? now;
    return {
      allowed: true,
      retryAfterMs: 0,
      remaining: limit - used - 1,
      resetMs: windowMs - (now - oldest),
    };
  }

  /** Keys held at the moment. */
  get size(): number {
    let keys = 0;
    for (const logs of this.windows.values()) keys += logs.size;
    return keys;
  }

  private logOf(key: string, windowMs: number): HitLog {
    let logs = this.windows.get(windowMs);
    if (!logs) this.windows.set(windowMs, (logs = new Map<string, HitLog>()));
    let log = logs.get(key);
    if (!log) logs.set(key, (log = { times: [], first: 0 }));
    return log;
  }

  private sweep(now: number): void {
    for (let step = 0; step < SWEPT_PER_HIT; step++) {
      const place = this.round.next().value;
      if (!place) return;
      const { windowMs, logs, key, log } = place;
      if ((log.times.at(-1) ?? -Infinity) <= now - windowMs) logs.delete(key);
    }
  }

  /** Nothing at the end of each round. Iterators of a Map see what is added and removed meanwhile. */
  private *keysInTurn(): Generator<Place | undefined, never> {
    for (;;) {
      yield undefined;
      for (const [windowMs, logs] of this.windows)
        for (const [key, log] of logs) yield { windowMs, logs, key, log };
    }
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

import { type Hit, SlidingWindowStore, type Window } from './sliding-window.store.js';

/** The hits of one subject, oldest first; those before `first` have left the window. */
interface HitLog {
  times: number[];
  first: number;
}

/** Of one scope: its subjects share a window. */
interface Scope {
  windowMs: number;
  logs: Map<string, HitLog>;
}

/** Subjects looked at when one is added: the maps cannot outgrow those in their window for long. */
const SWEPT_PER_SUBJECT = 3;
/** And one at every so many hits, for what is left when nobody new comes. */
const HITS_PER_SWEPT = 4;
/** Dead entries of a log are cut off in bulk: `shift` on a long array would cost its length each time. */
const COMPACT_AFTER = 32;

/**
 * A sliding log in the memory of this process: exact, atomic because nothing in `hit` awaits, lost on restart.
 * Memory is one number per allowed hit still in its window. With several instances each counts for itself.
 */
export class MemorySlidingWindowStore extends SlidingWindowStore {
  private readonly scopes = new Map<string, Scope>();
  /** Goes round all subjects for ever, a step or a few with each hit. */
  private readonly round = this.forgetInTurn();
  private lastHitAt = -Infinity;
  private hits = 0;

  /** The clock must never go back; the default is monotonic. */
  constructor(private readonly now: () => number = () => performance.now()) {
    super();
  }

  hit(scope: string, subject: string, { limit, windowMs }: Window): Hit {
    const now = (this.lastHitAt = this.now());
    this.hits += 1;
    if (this.hits % HITS_PER_SWEPT === 0) this.round.next();
    const log = this.logOf(scope, subject, windowMs);
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

  /** Subjects held at the moment. */
  get size(): number {
    let subjects = 0;
    for (const { logs } of this.scopes.values()) subjects += logs.size;
    return subjects;
  }

  private logOf(name: string, subject: string, windowMs: number): HitLog {
    let scope = this.scopes.get(name);
    if (!scope) this.scopes.set(name, (scope = { windowMs, logs: new Map<string, HitLog>() }));
    let log = scope.logs.get(subject);
    if (!log) {
      for (let step = 0; step < SWEPT_PER_SUBJECT; step++) this.round.next();
      scope.logs.set(subject, (log = { times: [], first: 0 }));
    }
    return log;
  }

  /** Iterators of a Map see what is added and removed meanwhile. */
  private *forgetInTurn(): Generator<undefined, never> {
    for (;;) {
      yield;
      for (const { windowMs, logs } of this.scopes.values())
        for (const [subject, { times }] of logs) {
          if ((times.at(-1) ?? -Infinity) <= this.lastHitAt - windowMs) logs.delete(subject);
          yield;
        }
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

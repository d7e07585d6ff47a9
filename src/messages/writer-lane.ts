import { setImmediate as turnEnd, setTimeout as delay } from 'node:timers/promises';
import type { DomainEvents } from '../platform/events/domain-events.js';
import { AppError } from '../platform/errors/app-error.js';
import { hasForgotten } from '../platform/database/forgotten-statement.js';
import { sqlStateOf } from '../platform/errors/database-error.js';
import { toAppError } from '../platform/errors/to-app-error.js';
import type { Outcome, Written } from './batch-outcome.js';
import type { MessageChange } from './message-change.js';

export interface QueuedChange {
  change: MessageChange;
  resolve(written: Written): void;
  reject(error: unknown): void;
  /** `performance.now()`; anew when it came to be in doubt. */
  queuedAt: number;
  /** An attempt was not answered, and there was time to find out what became of it. */
  lookedFor?: boolean;
}

export interface LaneHooks {
  /** All or nothing; of what is in doubt a later attempt finds what is there. */
  write(changes: MessageChange[]): Promise<Outcome>;
  /** A room among these is locked by somebody else: `take` what shall not hold up the others. Absent: the lane waits. */
  roomsLocked?(roomIds: string[]): Promise<void>;
  /** The lane has run dry. */
  idle?(): void;
}

const MAX_BATCH = 500;
/** A change that could not be written for this long is refused; until then faults of the database are ridden out. */
const PATIENCE_MS = 10_000;
const RETRY_MS = 50;

/** One queue with one batch in flight. What it tells, it tells in the order it was committed. */
export class WriterLane {
  private queue: QueuedChange[] = [];
  private isRunning = false;
  private batchSize = MAX_BATCH;

  constructor(
    private readonly events: DomainEvents,
    private readonly hooks: LaneHooks,
  ) {}

  push(queued: QueuedChange): void {
    this.queue.push(queued);
    if (!this.isRunning) void this.run();
  }

  /** Removes and returns what waits for a room. */
  take(roomId: string): QueuedChange[] {
    const taken = this.queue.filter(({ change }) => change.roomId === roomId);
    this.queue = this.queue.filter(({ change }) => change.roomId !== roomId);
    return taken;
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    // What arrives in this turn of the event loop, from whatever sockets, shares the first batch.
    await turnEnd();
    while (this.queue.length > 0) {
      const batch = this.queue.splice(0, this.batchSize);
      await this.write(batch);
      // Whoever has just been answered may write again at once: their answers leave and are read before so few go alone.
      if (this.queue.length > 0 && this.queue.length < batch.length) await this.answersToLeave();
    }
    this.isRunning = false;
    this.hooks.idle?.();
  }

  /** At the end of this turn of the event loop they are sent; at the end of the next one what came meanwhile has been read. */
  private async answersToLeave(): Promise<void> {
    await turnEnd();
    await turnEnd();
  }

  private async write(batch: QueuedChange[]): Promise<void> {
    let outcome: Outcome;
    try {
      outcome = await this.hooks.write(batch.map(({ change }) => change));
    } catch (error) {
      await this.recover(batch, error);
      return;
    }
    this.batchSize = Math.min(MAX_BATCH, this.batchSize * 2);
    for (const fact of outcome.facts) this.events.publish(fact);
    batch.forEach((queued, index) => {
      const verdict = outcome.verdicts[index];
      if (verdict?.kind === 'refused') queued.reject(verdict.error);
      else if (verdict) queued.resolve(verdict);
      else queued.reject(new Error('A change was written without a verdict'));
    });
  }

  /** Nothing of the batch is in the database, or it is in doubt. It goes back to the front of the queue, but for what can never be written. */
  private async recover(batch: QueuedChange[], error: unknown): Promise<void> {
    if (!mayPass(error)) {
      this.bisect(batch, error);
      return;
    }
    this.queue = [...batch, ...this.queue].filter((queued) => !this.gaveUp(queued, error));
    if (sqlStateOf(error) === '55P03' && this.hooks.roomsLocked) {
      // When this fails too, the next attempt at the batch will tell why.
      await this.hooks
        .roomsLocked([...new Set(batch.map(({ change }) => change.roomId))])
        .catch(() => undefined);
    }
    await delay(RETRY_MS * (0.5 + Math.random()));
  }

  /** Halves the next batch until it is the one change that cannot be written. */
  private bisect(batch: QueuedChange[], error: unknown): void {
    const [first] = batch;
    if (batch.length === 1) {
      first?.reject(error);
      return;
    }
    this.queue.unshift(...batch);
    this.batchSize = Math.ceil(batch.length / 2);
  }

  private gaveUp(queued: QueuedChange, cause: unknown): boolean {
    const { change } = queued;
    // It may be there: nobody is told that it is not before it was looked for.
    if (change.kind === 'send' && change.inDoubt && !queued.lookedFor) {
      queued.lookedFor = true;
      queued.queuedAt = performance.now();
    }
    if (performance.now() - queued.queuedAt < PATIENCE_MS) return false;
    queued.reject(
      new AppError('UNAVAILABLE', 'The message could not be written now', { retryAfterMs: 1000, cause }),
    );
    return true;
  }
}

/**
 * Whether the same batch may succeed when it is tried again: the database is away or busy, another node was there
 * first (23505), the transaction was in the way of others (40), the server is not the primary any more (25), or the
 * connection was of no more use.
 * Everything else is the fault of a row, or of ours: it must not stop the others.
 */
function mayPass(error: unknown): boolean {
  return (
    toAppError(error).code === 'UNAVAILABLE' ||
    hasForgotten(error) ||
    /^(23505|40...|25...)$/.test(sqlStateOf(error) ?? '')
  );
}

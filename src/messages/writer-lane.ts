import { setTimeout as delay } from 'node:timers/promises';
import type { DomainEvents } from '../platform/events/domain-events.js';
import { AppError } from '../platform/errors/app-error.js';
import { sqlStateOf } from '../platform/errors/database-error.js';
import type { MessageBatches, Outcome, Written } from './message-batches.js';
import type { MessageChange } from './message-change.js';

export interface QueuedChange {
  change: MessageChange;
  resolve(written: Written): void;
  reject(error: unknown): void;
  /** `performance.now()`. */
  queuedAt: number;
}

const MAX_BATCH = 500;
/** A change that could not be written for this long is refused; until then faults of the database are ridden out. */
const PATIENCE_MS = 10_000;
const RETRY_MS = 50;

type RoomLocked = (roomId: string, changes: QueuedChange[], from: WriterLane) => void;

/** One queue with one batch in flight. What it tells, it tells in the order it was committed. */
export class WriterLane {
  private queue: QueuedChange[] = [];
  private running: Promise<void> | undefined;

  constructor(
    private readonly batches: MessageBatches,
    private readonly events: DomainEvents,
    private readonly onRoomLocked: RoomLocked,
  ) {}

  push(queued: QueuedChange): void {
    this.queue.push(queued);
    this.running ??= this.run();
  }

  /** Removes and returns what waits for a room. */
  take(roomId: string): QueuedChange[] {
    const taken = this.queue.filter(({ change }) => change.roomId === roomId);
    this.queue = this.queue.filter(({ change }) => change.roomId !== roomId);
    return taken;
  }

  async idle(): Promise<void> {
    while (this.running) await this.running;
  }

  private async run(): Promise<void> {
    // What arrives in this turn of the event loop shares the first batch.
    await Promise.resolve();
    while (this.queue.length > 0) await this.write(this.queue.splice(0, MAX_BATCH), false);
    this.running = undefined;
  }

  private async write(batch: QueuedChange[], skipLocked: boolean): Promise<void> {
    try {
      const outcome = await this.batches.write(batch.map(({ change }) => change), skipLocked);
      this.settle(batch, outcome);
    } catch (error) {
      await this.recover(batch, error, skipLocked);
    }
  }

  private settle(batch: QueuedChange[], outcome: Outcome): void {
    for (const fact of outcome.facts) this.events.publish(fact);
    const locked = new Map<string, QueuedChange[]>();
    batch.forEach((queued, index) => {
      const verdict = outcome.verdicts[index];
      if (!verdict) locked.set(queued.change.roomId, [...(locked.get(queued.change.roomId) ?? []), queued]);
      else if (verdict.kind === 'refused') queued.reject(verdict.error);
      else queued.resolve(verdict);
    });
    for (const [roomId, changes] of locked) this.onRoomLocked(roomId, changes, this);
  }

  /** Nothing of the batch is in the database. Tries again, or finds the change that cannot be written. */
  private async recover(batch: QueuedChange[], error: unknown, skipLocked: boolean): Promise<void> {
    const code = sqlStateOf(error) ?? '';
    if (isDataError(code)) return this.bisect(batch, error, skipLocked);
    const oneRoom = batch.every(({ change }) => change.roomId === batch[0]?.change.roomId);
    const waiting = batch.filter((queued) => !this.gaveUp(queued, error));
    if (waiting.length === 0) return;
    if (code === '55P03' && !oneRoom) return this.write(waiting, true);
    await delay(RETRY_MS * (0.5 + Math.random()));
    return this.write(waiting, skipLocked);
  }

  private async bisect(batch: QueuedChange[], error: unknown, skipLocked: boolean): Promise<void> {
    const [first] = batch;
    if (first && batch.length === 1) {
      first.reject(error);
      return;
    }
    const middle = Math.ceil(batch.length / 2);
    await this.write(batch.slice(0, middle), skipLocked);
    await this.write(batch.slice(middle), skipLocked);
  }

  private gaveUp(queued: QueuedChange, cause: unknown): boolean {
    if (performance.now() - queued.queuedAt < PATIENCE_MS) return false;
    queued.reject(new AppError('UNAVAILABLE', 'The message could not be written now', { retryAfterMs: 1000, cause }));
    return true;
  }
}

/** Classes of SQLSTATE that one row causes: data exception, constraint violation other than "already there", not supported. */
function isDataError(code: string): boolean {
  return code.startsWith('22') || (code.startsWith('23') && code !== '23505') || code.startsWith('42');
}

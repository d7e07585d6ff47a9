import { setTimeout as wait } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { Transaction, UnitOfWork } from '../database/unit-of-work.js';
import { sqlStateOf } from '../errors/database-error.js';
import { toAppError } from '../errors/to-app-error.js';
import { describeError } from '../logging/describe-error.js';
import type { Metrics } from '../metrics/metrics.js';
import { RowsHeld, type OutboxRow } from './outbox-topic.js';
import type { OutboxRepository, TakenRow } from './outbox.repository.js';

/** Writes what rows lead to, in the transaction that deletes them. */
export type OutboxHandler<P extends object = object> = (
  tx: Transaction,
  rows: OutboxRow<P>[],
) => Promise<void>;

const BATCH = 100;
const MOST_ERROR = 500;
const TIMED_OUT = '57014';
const LOCK_NOT_AVAILABLE = '55P03';

/** Hands the rows of one topic to its consumer on this node, one batch at a time. */
export class TopicDrain {
  private readonly logger = new Logger('Outbox');
  private running: Promise<void> | undefined;
  private wanted = false;
  private stopped = false;

  constructor(
    private readonly topic: string,
    private readonly handler: OutboxHandler,
    private readonly gatherMs: number,
    private readonly unitOfWork: UnitOfWork,
    private readonly rows: OutboxRepository,
    private readonly metrics: Metrics,
  ) {}

  /** There may be rows. Woken while at work, it looks once more. */
  wake(): void {
    if (this.stopped) return;
    this.wanted = true;
    this.running ??= this.work();
  }

  /** Resolves when the batch under way has ended; no other begins. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async work(): Promise<void> {
    try {
      while (this.isWanted()) {
        if (this.gatherMs > 0) await wait(this.gatherMs);
        this.wanted = false;
        while ((await this.nextBatch()) === BATCH);
      }
    } catch (error) {
      // Nothing is lost: the rows are still there at the next look.
      this.logger.warn({ topic: this.topic }, 'Draining was interrupted', error);
    } finally {
      this.running = undefined;
    }
  }

  private isWanted(): boolean {
    return this.wanted && !this.stopped;
  }

  /** How many rows were dealt with. */
  private async nextBatch(): Promise<number> {
    if (this.stopped) return 0;
    let taken: TakenRow[] = [];
    try {
      await this.unitOfWork.run(async (tx) => {
        taken = await this.rows.take(tx, this.topic, BATCH);
        await this.handle(tx, taken);
      });
    } catch (error) {
      await this.isolate(taken, error);
    }
    return taken.length;
  }

  private async handle(tx: Transaction, rows: TakenRow[]): Promise<void> {
    if (rows.length === 0) return;
    await this.handler(tx, rows);
    await this.rows.remove(tx, rows);
  }

  /** Rows that cannot be handled together are tried in halves, in their order, until those that fail alone are found. */
  private async isolate(rows: TakenRow[], error: unknown): Promise<void> {
    const [first] = rows;
    if (!first || isPassing(error)) throw error;
    if (error instanceof RowsHeld) return this.goOnWithout(error, rows);
    if (rows.length === 1) return isHeld(error) ? this.postpone(rows) : this.fail(first, error);
    const middle = Math.ceil(rows.length / 2);
    await this.again(rows.slice(0, middle));
    await this.again(rows.slice(middle));
  }

  private async again(rows: TakenRow[]): Promise<void> {
    if (this.stopped || rows.length === 0) return;
    try {
      await this.unitOfWork.run(async (tx) => {
        const ids = rows.map(({ id }) => id);
        await this.handle(tx, await this.rows.takeOnly(tx, ids));
      });
    } catch (error) {
      await this.isolate(rows, error);
    }
  }

  private async goOnWithout(held: RowsHeld, rows: TakenRow[]): Promise<void> {
    await this.postpone(rows.filter(({ id }) => held.ids.has(id)));
    await this.again(rows.filter(({ id }) => !held.ids.has(id)));
  }

  private async postpone(rows: TakenRow[]): Promise<void> {
    await this.unitOfWork.run((tx) => this.rows.postpone(tx, rows));
  }

  private async fail(row: TakenRow, error: unknown): Promise<void> {
    const fate = await this.unitOfWork.run((tx) => this.rows.fail(tx, row, inOneLine(error)));
    const fields = { topic: this.topic, id: row.id, attempt: row.attempts + 1 };
    if (fate === 'later') {
      this.logger.warn(fields, 'A row failed and will be tried again', error);
      return;
    }
    this.metrics.outboxDied(this.topic);
    this.logger.error(fields, 'A row failed for the last time and is dead', error);
  }
}

/**
 * The database's trouble, not the row's. A statement that takes too long may be: it is tried with fewer rows, and counts.
 * So may a lock that somebody else holds: only the rows that need it wait.
 */
function isPassing(error: unknown): boolean {
  return sqlStateOf(error) !== TIMED_OUT && !isHeld(error) && toAppError(error).code === 'UNAVAILABLE';
}

function isHeld(error: unknown): boolean {
  return sqlStateOf(error instanceof Error && error.cause ? error.cause : error) === LOCK_NOT_AVAILABLE;
}

function inOneLine(error: unknown): string {
  const { type, message, code, constraint } = describeError(error);
  const text = [type, code, constraint, message].filter((part) => part !== undefined).join(' ');
  return text.replaceAll('\0', '').slice(0, MOST_ERROR).toWellFormed();
}

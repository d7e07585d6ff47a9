import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { describeError } from '../logging/describe-error.js';
import { Metrics } from '../metrics/metrics.js';
import { JobQueuesRepository, type QueueLimits } from './job-queues.repository.js';
import { JobsRepository, type TakenJob } from './jobs.repository.js';
import { PermanentFailure } from './permanent-failure.js';

export interface JobQueue extends QueueLimits {
  concurrency: number;
  handler: (data: object, signal: AbortSignal) => Promise<void>;
}

/** A job under way. */
interface Run {
  readonly job: TakenJob;
  readonly ended: Promise<void>;
  readonly stop: AbortController;
}

const LOOK_MS = 1000;
const EXPIRE_MS = 10_000;
const TIDY_MS = 10 * 60_000;
const DRAIN_WAIT_MS = 8000;
/** For the answer to a question after jobs that was asked before the end. */
const LAST_TAKE_WAIT_MS = 1000;
/** The end of a job is written so often, a second apart, until the database is back; else the job is done once more. */
const MOST_WRITES = 30;
const LONGEST_MESSAGE = 500;

/**
 * Takes due jobs and runs their handlers, in one loop for all queues: one cheap question a second when idle, none before
 * a job that was added in this process. Why not pg-boss's workers: each polls for itself, they write a job's end without
 * waiting for it, and a stop does not wait for either.
 */
@Injectable()
export class JobRunner {
  private readonly logger = new Logger(JobRunner.name);
  private readonly running = new Map<string, Map<string, Run>>();
  private readonly woken = new Set<string>();
  private queues: ReadonlyMap<string, JobQueue> = new Map();
  private loop: Promise<void> = Promise.resolve();
  private drained: Promise<void> | undefined;
  private endPause: () => void = () => undefined;
  private stopping = false;
  /** The database is about to be closed: nothing is written any more. */
  private closed = false;
  private isFailing = false;
  private lookAt = 0;
  private expireAt = 0;
  private tidyAt = 0;

  constructor(
    private readonly queueTables: JobQueuesRepository,
    private readonly jobs: JobsRepository,
    private readonly metrics: Metrics,
  ) {}

  start(queues: ReadonlyMap<string, JobQueue>): void {
    this.queues = queues;
    for (const name of queues.keys()) this.running.set(name, new Map());
    if (!this.stopping) this.loop = this.work();
  }

  /** There may be something to do in that queue. */
  wake(queue: string): void {
    this.woken.add(queue);
    this.endPause();
  }

  /** Takes nothing more and waits for what is under way; what is not done by then is given back for others. */
  drain(atMostMs = DRAIN_WAIT_MS): Promise<void> {
    this.drained ??= this.end(atMostMs);
    return this.drained;
  }

  private async end(atMostMs: number): Promise<void> {
    this.stopping = true;
    this.endPause();
    await settledWithin(atMostMs, this.idle());
    this.closed = true;
    const left = [...this.running.values()].flatMap((runs) => [...runs.values()]);
    for (const { stop } of left) stop.abort();
    if (left.length > 0) {
      this.logger.warn({ jobs: left.length }, 'Jobs were not done in time; they are given back');
      await this.giveBack(left.map(({ job }) => job));
    }
    await settledWithin(LAST_TAKE_WAIT_MS, this.loop);
  }

  private async giveBack(jobs: readonly TakenJob[]): Promise<void> {
    await this.jobs
      .giveBack(jobs)
      .catch((error: unknown) => this.logger.warn('Jobs could not be given back', error));
  }

  private async idle(): Promise<void> {
    await this.loop;
    for (const runs of this.running.values()) for (const { ended } of runs.values()) await ended;
  }

  private async work(): Promise<void> {
    while (!this.stopping) {
      try {
        await this.turn();
        if (this.isFailing) this.logger.log('Jobs go on');
        this.isFailing = false;
      } catch (error) {
        // Once, not once a second.
        if (!this.isFailing) this.logger.warn('Jobs wait for the database', error);
        this.isFailing = true;
      }
      await this.pause();
    }
  }

  private async turn(): Promise<void> {
    const woken = new Set(this.woken);
    this.woken.clear();
    const now = performance.now();
    const isTimeToLook = now >= this.lookAt;
    if (isTimeToLook) {
      this.lookAt = now + LOOK_MS;
      await this.maintain(now);
      const free = [...this.queues.keys()].filter((name) => this.freePlaces(name) > 0);
      if (free.length > 0) for (const name of await this.jobs.due(free)) woken.add(name);
    }
    await Promise.all([...woken].map((name) => this.fill(name)));
  }

  private async maintain(now: number): Promise<void> {
    if (now >= this.tidyAt) {
      this.tidyAt = now + TIDY_MS;
      this.expireAt = now + EXPIRE_MS;
      await this.queueTables.tidy();
    } else if (now >= this.expireAt) {
      this.expireAt = now + EXPIRE_MS;
      await this.queueTables.expire();
    }
  }

  private async pause(): Promise<void> {
    if (this.stopping || this.woken.size > 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, this.lookAt - performance.now())).unref();
      this.endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private freePlaces(name: string): number {
    return (this.queues.get(name)?.concurrency ?? 0) - (this.running.get(name)?.size ?? 0);
  }

  private async fill(name: string): Promise<void> {
    const queue = this.queues.get(name);
    const places = this.freePlaces(name);
    if (!queue || places <= 0 || this.stopping) return;
    await this.begin(queue, await this.jobs.take(name, places));
  }

  private async begin(queue: JobQueue, jobs: readonly TakenJob[]): Promise<void> {
    // The end may have come between question and answer.
    if (!this.stopping) for (const job of jobs) this.run(queue, job);
    else if (jobs.length > 0) await this.giveBack(jobs);
  }

  private run(queue: JobQueue, job: TakenJob): void {
    const runs = this.running.get(job.queue);
    const stop = new AbortController();
    const ended = this.attempt(queue, job, stop).finally(() => {
      runs?.delete(job.id);
      this.wake(job.queue);
    });
    runs?.set(job.id, { job, ended, stop });
  }

  private async attempt(queue: JobQueue, job: TakenJob, stop: AbortController): Promise<void> {
    try {
      await withinTime(queue, job, stop);
    } catch (error) {
      if (!this.closed) await this.failed(job, error);
      return;
    }
    if (await this.write(job, () => this.jobs.complete(job))) this.metrics.jobFinished(job.queue, 'ok');
  }

  private async failed(job: TakenJob, error: unknown): Promise<void> {
    const isDead = error instanceof PermanentFailure || job.isLastAttempt;
    const message = messageOf(error);
    const write = () => (isDead ? this.jobs.bury(job, message) : this.jobs.tryAgain(job, message));
    const isWritten = await this.write(job, write);
    const line = { queue: job.queue, jobId: job.id, attempt: job.attempt, err: error };
    if (!isWritten) this.logger.warn(line, 'An attempt failed');
    else if (isDead) this.logger.error(line, 'A job failed for good');
    else this.logger.warn(line, 'A job failed; it is tried again');
    if (isWritten) this.metrics.jobFinished(job.queue, isDead ? 'dead' : 'retry');
  }

  /** False when the end does not count: another attempt has begun, or does when the time of this one is over. */
  private async write(job: TakenJob, write: () => Promise<boolean>): Promise<boolean> {
    const line = { queue: job.queue, jobId: job.id, attempt: job.attempt };
    for (let attempt = 1; !this.closed; attempt++) {
      try {
        const isOurs = await write();
        if (!isOurs) this.logger.warn(line, 'An attempt ended after its time was over; it does not count');
        return isOurs;
      } catch (error) {
        if (attempt === MOST_WRITES) {
          this.logger.warn({ ...line, err: error }, 'The end of a job could not be written');
          break;
        }
        await delay(LOOK_MS);
      }
    }
    return false;
  }
}

/** A handler cannot be ended from outside; it is told by its signal, and not waited for any longer. */
async function withinTime(
  { handler, timeoutSeconds }: JobQueue,
  job: TakenJob,
  stop: AbortController,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`It took longer than ${String(timeoutSeconds)} s`)),
      timeoutSeconds * 1000,
    );
  });
  try {
    await Promise.race([handler(job.data, stop.signal), late]);
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

async function settledWithin(ms: number, work: Promise<void>): Promise<void> {
  const waiting = new AbortController();
  const timeout = delay(ms, undefined, { signal: waiting.signal }).catch(() => undefined);
  await Promise.race([work, timeout]);
  waiting.abort();
}

/** For an administrator: no stack, no SQL parameters, nothing that quotes the data. */
function messageOf(error: unknown): string {
  const { type, code, message } = describeError(error);
  return [type, code, message]
    .filter((part) => part !== undefined)
    .join(': ')
    .slice(0, LONGEST_MESSAGE);
}

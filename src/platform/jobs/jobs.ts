import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { Transaction } from '../database/unit-of-work.js';
import { DomainEvents } from '../events/domain-events.js';
import { JobQueuesRepository } from './job-queues.repository.js';
import { JobRunner, type JobQueue } from './job-runner.js';
import { JobsRepository, type DeadJob, type NewJob } from './jobs.repository.js';

export interface HandlerOptions {
  /** Attempts after the first. */
  retries: number;
  /** The first retry comes after once to twice this time, by chance; every further one after twice as long. 0: at once. */
  firstRetrySeconds: number;
  /** Jobs of the queue at a time, in each instance; 1 if not given. */
  concurrency?: number;
  /** An attempt that takes longer has failed, also that of a process which crashed; 60 if not given. */
  timeoutSeconds?: number;
}

/** Raised by the transaction that adds a job: this instance need not wait to find it. */
class JobAdded {
  constructor(readonly queue: string) {}
}

const CONCURRENCY = 1;
const TIMEOUT_SECONDS = 60;

/**
 * Work outside of requests that survives a crash, in queues in the database. Every job is done at least once: a handler
 * may be called again for a job whose end was not written, so it asks first whether there is still something to do.
 */
@Injectable()
export class Jobs implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly queues = new Map<string, JobQueue>();
  private opening: Promise<void> | undefined;
  private isOpen = false;

  constructor(
    private readonly schema: JobQueuesRepository,
    private readonly repository: JobsRepository,
    private readonly runner: JobRunner,
    events: DomainEvents,
  ) {
    events.on(JobAdded, ({ queue }) => this.runner.wake(queue));
  }

  /**
   * Names a queue and who does its jobs, in `onModuleInit`. A handler that throws is called again later, except for a
   * `PermanentFailure`. `signal` is aborted when its time is over or the server stops without waiting any longer.
   */
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- what a queue holds is known to its feature alone
  handle<Data extends object>(
    queue: string,
    options: HandlerOptions,
    handler: (data: Data, signal: AbortSignal) => Promise<void>,
  ): void {
    if (this.opening) throw new Error(`The queue ${queue} comes too late: name it in onModuleInit`);
    if (this.queues.has(queue)) throw new Error(`The queue ${queue} has a handler already`);
    this.queues.set(queue, {
      concurrency: CONCURRENCY,
      timeoutSeconds: TIMEOUT_SECONDS,
      ...options,
      handler: handler as JobQueue['handler'],
    });
  }

  /**
   * With `tx` the job exists exactly when that is committed, and begins after that. With a `key`, nothing is added while
   * a job of the same key waits for its first attempt: that one keeps its data and its time, and begins after `tx` too,
   * so it sees what was written. One that is running, or waits for another attempt, does not count: it may have looked already.
   */
  add(
    tx: Transaction | undefined,
    queue: string,
    data: object,
    when: Omit<NewJob, 'data'> = {},
  ): Promise<void> {
    return this.addAll(tx, queue, [{ data, ...when }]);
  }

  /** Like `add` for each of them, at the cost of one. */
  async addAll(tx: Transaction | undefined, queue: string, jobs: readonly NewJob[]): Promise<void> {
    if (!this.queues.has(queue)) throw new Error(`The queue ${queue} has no handler`);
    if (!tx) await this.open();
    // Opening takes a connection, and in embedded mode the transaction has the only one.
    else if (!this.isOpen) throw new Error('Jobs are added in transactions from onApplicationBootstrap on');
    await this.repository.insert(tx, queue, jobs);
    if (jobs.some(({ afterSeconds = 0 }) => afterSeconds === 0)) this.wake(tx, queue);
  }

  /** Adds one, except that a job of the key which waits already gets this data and waits at least as long as this one. */
  async postpone(queue: string, job: Required<NewJob>): Promise<void> {
    await this.addAll(undefined, queue, [job]);
    await this.repository.postponeWaiting(queue, job.key, job.data, job.afterSeconds);
  }

  /** Jobs that failed for good, newest first, kept for 14 days; `cursor` is the last id of the page before. */
  async dead(queue: string | undefined, cursor: string | undefined, limit: number): Promise<DeadJob[]> {
    await this.open();
    return this.repository.dead(queue, cursor, limit);
  }

  /** Has a dead job done after all, with all its attempts. False when there is no such job. */
  async retry(tx: Transaction | undefined, id: string): Promise<boolean> {
    if (!tx) await this.open();
    const queue = await this.repository.retry(tx, id);
    if (queue !== undefined) this.wake(tx, queue);
    return queue !== undefined;
  }

  /** How many jobs of each queue wait, those that are due later included. */
  async waiting(): Promise<Map<string, number>> {
    await this.open();
    return this.repository.waiting();
  }

  /** Before anything is listening, so that a request can always add one. Without a handler there is nothing to run. */
  async onApplicationBootstrap(): Promise<void> {
    if (this.queues.size === 0) return;
    await this.open();
    this.runner.start(this.queues);
  }

  async onModuleDestroy(): Promise<void> {
    await this.drain();
  }

  /** Begins no more jobs and waits for those under way, at most 8 s. Jobs can still be added, for another instance or the next start. */
  drain(): Promise<void> {
    return this.runner.drain();
  }

  private wake(tx: Transaction | undefined, queue: string): void {
    if (tx) tx.raise(new JobAdded(queue));
    else this.runner.wake(queue);
  }

  private async open(): Promise<void> {
    this.opening ??= this.schema.open(this.queues);
    await this.opening;
    this.isOpen = true;
  }
}

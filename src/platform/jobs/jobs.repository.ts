import { Injectable, Logger } from '@nestjs/common';
import PgBoss from 'pg-boss';
import { DataSource, type QueryRunner } from 'typeorm';
import { v7 as uuid } from 'uuid';
import type { Transaction } from '../database/unit-of-work.js';

export interface QueueLimits {
  retries: number;
  firstRetrySeconds: number;
  timeoutSeconds: number;
}

/** A job that this process has taken. */
export interface TakenJob {
  id: string;
  queue: string;
  data: object;
  /** 1 at the first. */
  attempt: number;
  isLastAttempt: boolean;
}

export interface DeadJob {
  id: string;
  queue: string;
  data: object;
  failedAt: Date;
  error: string;
  attempts: number;
}

export interface When {
  /** Not before so long after the database's now. */
  afterSeconds?: number;
  /** One waiting job per key. */
  key?: string;
}

interface Rows {
  rows: unknown[];
}

const SCHEMA = 'pgboss';
const HOUR = 3600;
const DAY = 24 * HOUR;
/** Any number, as long as nothing else locks it: instances that start together prepare the queues in turn. */
const OPENING_LOCK = 7_215_003;
/** The waiting job of the key began in the moment between two statements, so often in a row. */
const MOST_INSERTS = 10;

const SOME_DUE = `
  SELECT q.name FROM unnest($1::text[]) AS q (name)
   CROSS JOIN LATERAL (SELECT FROM pgboss.job j
                        WHERE j.name = q.name AND j.state < 'active' AND j.start_after < now() LIMIT 1) due`;
/** A shared lock: whoever takes a job skips it until we have committed. */
const HOLD_WAITING = `
  SELECT id FROM pgboss.job
   WHERE name = $1 AND coalesce(singleton_key, '') = $2 AND state = 'created' AND policy = 'short' FOR SHARE`;
const NO_MORE_RETRIES = `
  UPDATE pgboss.job SET retry_limit = retry_count WHERE name = $1 AND id = $2 AND state = 'active'`;
/** Without `started_on` the attempt is not counted. */
const GIVE_BACK = `
  UPDATE pgboss.job SET state = 'retry', started_on = NULL, start_after = now()
   WHERE state = 'active' AND id = ANY ($1::uuid[])`;
const DEAD = `
  SELECT id, name AS queue, data, completed_on AS "failedAt", retry_count + 1 AS attempts,
         coalesce(output ->> 'message', output -> 'value' ->> 'message', '') AS error
    FROM pgboss.job
   WHERE state = 'failed' AND ($1::text IS NULL OR name = $1) AND ($2::uuid IS NULL OR id < $2)
   ORDER BY id DESC LIMIT $3`;
/** pg-boss's own retry keeps `completed_on`, by which its maintenance would delete the job before it ran. */
const RETRY = `
  UPDATE pgboss.job j
     SET state = 'retry', retry_count = 0, retry_limit = q.retry_limit, started_on = NULL, completed_on = NULL,
         output = NULL, start_after = now(), keep_until = now() + interval '14 days'
    FROM pgboss.queue q WHERE q.name = j.name AND j.id = $1 AND j.state = 'failed' RETURNING j.name`;
const WAITING = `SELECT name, count(*) AS n FROM pgboss.job WHERE state < 'active' GROUP BY name`;

/** The jobs in the schema `pgboss`: statements of pg-boss, and of ours where it has none, through the application's connections. */
@Injectable()
export class JobsRepository {
  private readonly logger = new Logger(JobsRepository.name);
  private readonly boss: PgBoss;

  constructor(private readonly dataSource: DataSource) {
    this.boss = this.bossOver({ executeSql: (text, values) => this.execute(text, values) });
  }

  /**
   * Makes or migrates pg-boss's tables, and the queues. One instance at a time: making a queue locks the table of queues
   * harder than its first statement did, and two at once are a deadlock.
   */
  async open(queues: ReadonlyMap<string, QueueLimits>): Promise<void> {
    const runner = this.dataSource.createQueryRunner();
    try {
      await runner.query('SELECT pg_advisory_lock($1)', [OPENING_LOCK]);
      const boss = this.bossOver(over(runner));
      await boss.start();
      for (const [name, { retries, firstRetrySeconds, timeoutSeconds }] of queues) {
        const options = {
          name,
          // At most one job per key in the state "created".
          policy: 'short' as const,
          retryLimit: retries,
          retryDelay: firstRetrySeconds,
          // With a random part: the wait is between once and twice firstRetrySeconds, then doubled.
          retryBackoff: firstRetrySeconds > 0,
          expireInSeconds: timeoutSeconds,
        };
        await boss.createQueue(name, options);
        await boss.updateQueue(name, options);
      }
    } catch (error) {
      await runner.query('ROLLBACK').catch(() => undefined);
      throw error;
    } finally {
      await runner.query('SELECT pg_advisory_unlock($1)', [OPENING_LOCK]).catch(() => undefined);
      await runner.release();
    }
  }

  async insert(tx: Transaction | undefined, queue: string, data: object, when: When): Promise<void> {
    const id = uuid();
    // Without a key of its own it would share one with all others.
    const key = when.key ?? id;
    const db = tx && over(runnerOf(tx));
    const options = { id, singletonKey: key, startAfter: when.afterSeconds ?? 0, ...(db && { db }) };
    for (let attempt = 1; attempt <= MOST_INSERTS; attempt++) {
      if (await this.boss.send(queue, data, options)) return;
      if (!db) return;
      // The waiting job must not begin before this transaction has ended: it would not see what it is about.
      const { rows } = await db.executeSql(HOLD_WAITING, [queue, key]);
      if (rows.length > 0) return;
    }
    throw new Error(`No job could be added to the queue ${queue}`);
  }

  /** Those of the queues in which a job is due. */
  async due(queues: string[]): Promise<string[]> {
    const { rows } = await this.execute(SOME_DUE, [queues]);
    return (rows as { name: string }[]).map(({ name }) => name);
  }

  /** No two callers get the same job. Nothing, too, when the database cannot be asked. */
  async take(queue: string, most: number): Promise<TakenJob[]> {
    const jobs = await this.boss.fetch<object>(queue, {
      includeMetadata: true,
      batchSize: most,
      priority: false,
    });
    return jobs.map(({ id, data, retryCount, retryLimit }) => ({
      id,
      queue,
      data,
      attempt: retryCount + 1,
      isLastAttempt: retryCount >= retryLimit,
    }));
  }

  async complete({ queue, id }: TakenJob): Promise<void> {
    await this.boss.complete(queue, id);
  }

  /** Waiting for its next attempt, or dead after the last one. */
  async fail({ queue, id }: TakenJob, message: string, isPermanent: boolean): Promise<void> {
    if (isPermanent) await this.execute(NO_MORE_RETRIES, [queue, id]);
    await this.boss.fail(queue, id, { message });
  }

  /** To any instance, at once, as if they had not been begun. */
  async giveBack(ids: string[]): Promise<void> {
    await this.execute(GIVE_BACK, [ids]);
  }

  /** Jobs of processes that are gone fail when their time is over. */
  async expire(): Promise<void> {
    await this.boss.expire();
  }

  /** Deletes finished jobs after an hour, dead ones after 14 days. */
  async tidy(): Promise<void> {
    await this.boss.maintain();
  }

  /** Newest first; `before` is the id to go on from. */
  async dead(queue: string | undefined, before: string | undefined, limit: number): Promise<DeadJob[]> {
    const { rows } = await this.execute(DEAD, [queue ?? null, before ?? null, limit]);
    return rows as DeadJob[];
  }

  /** The queue of the job; undefined when there is no such dead job. */
  async retry(tx: Transaction | undefined, id: string): Promise<string | undefined> {
    const db = tx ? over(runnerOf(tx)) : undefined;
    const { rows } = await (db ? db.executeSql(RETRY, [id]) : this.execute(RETRY, [id]));
    return (rows as { name: string }[])[0]?.name;
  }

  async waiting(): Promise<Map<string, number>> {
    const { rows } = await this.execute(WAITING, []);
    return new Map((rows as { name: string; n: number }[]).map(({ name, n }) => [name, n]));
  }

  /** pg-boss as a set of statements: its timers and workers stay off. */
  private bossOver(db: PgBoss.Db): PgBoss {
    const boss = new PgBoss({
      db,
      schema: SCHEMA,
      supervise: false,
      schedule: false,
      archiveCompletedAfterSeconds: HOUR,
      archiveFailedAfterSeconds: 14 * DAY,
      // From its archive, which nobody reads.
      deleteAfterSeconds: 1,
    });
    // Without a listener an error event would end the process.
    boss.on('error', (error) => this.logger.warn('pg-boss reports an error', error));
    return boss;
  }

  private async execute(text: string, values: unknown[] | undefined): Promise<Rows> {
    const runner = this.dataSource.createQueryRunner();
    try {
      return await query(runner, text, values);
    } catch (error) {
      // pg-boss sends whole transactions as one string; what failed in the middle of one left it open.
      if (!values) await runner.query('ROLLBACK').catch(() => undefined);
      throw error;
    } finally {
      await runner.release();
    }
  }
}

function runnerOf(tx: Transaction): QueryRunner {
  const runner = tx.manager.queryRunner;
  if (!runner) throw new Error('A transaction has a connection');
  return runner;
}

function over(runner: QueryRunner): PgBoss.Db {
  return { executeSql: (text, values: unknown[] | undefined) => query(runner, text, values) };
}

/** Several statements in one string are only taken without parameters. */
async function query(runner: QueryRunner, text: string, values: unknown[] | undefined): Promise<Rows> {
  const { records } = await runner.query(text, values, true);
  return { rows: records };
}

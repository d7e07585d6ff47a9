import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { v7 as uuid } from 'uuid';
import type { Transaction } from '../database/unit-of-work.js';

export interface NewJob {
  data: object;
  /** Not before so long after the database's now. */
  afterSeconds?: number;
  /** One waiting job per key. */
  key?: string;
}

/** A job that this process has taken. */
export interface TakenJob {
  id: string;
  queue: string;
  data: object;
  /** 1 at the first. */
  attempt: number;
  isLastAttempt: boolean;
  /** To the microsecond: it tells this attempt from every other of the job, wherever that runs. */
  startedAt: string;
}

export interface DeadJob {
  id: string;
  queue: string;
  data: object;
  failedAt: Date;
  error: string;
  attempts: number;
}

/** The waiting job of a key began in the moment between two statements, so often in a row. */
const MOST_INSERTS = 10;

/** In the order of the keys: transactions that add several of the same wait for each other, not in a circle. */
const INSERT = `
  INSERT INTO pgboss.job (id, name, data, start_after, keep_until, singleton_key, expire_in,
                          retry_limit, retry_delay, retry_backoff, policy)
  SELECT j.id, q.name, j.data, now() + j.seconds * interval '1 s', now() + j.seconds * interval '1 s' + interval '14 days',
         j.key, q.expire_seconds * interval '1 s', q.retry_limit, q.retry_delay, q.retry_backoff, q.policy
    FROM json_to_recordset($2::json) AS j (id uuid, data jsonb, seconds float8, key text)
    JOIN pgboss.queue q ON q.name = $1
   ORDER BY j.key, j.id
      ON CONFLICT DO NOTHING RETURNING singleton_key AS key`;
const OF_WAITING = `name = $1 AND coalesce(singleton_key, '') = ANY ($2::text[]) AND state = 'created' AND policy = 'short'`;
/** A shared lock: whoever takes a job skips it until we have committed. */
const HOLD_WAITING = `SELECT singleton_key AS key FROM pgboss.job WHERE ${OF_WAITING} FOR SHARE`;
const POSTPONE_WAITING = `
  UPDATE pgboss.job
     SET data = $3::jsonb, start_after = greatest(start_after, now() + $4::float8 * interval '1 s'),
         keep_until = greatest(keep_until, now() + $4::float8 * interval '1 s' + interval '14 days')
   WHERE ${OF_WAITING}`;

const SOME_DUE = `
  SELECT q.name FROM unnest($1::text[]) AS q (name)
   CROSS JOIN LATERAL (SELECT FROM pgboss.job j
                        WHERE j.name = q.name AND j.state < 'active' AND j.start_after < now() LIMIT 1) due`;
const TAKE = `
  WITH next AS (SELECT id FROM pgboss.job
                 WHERE name = $1 AND state < 'active' AND start_after < now()
                 ORDER BY created_on, id LIMIT $2 FOR UPDATE SKIP LOCKED)
  UPDATE pgboss.job j
     SET state = 'active', started_on = now(),
         retry_count = CASE WHEN started_on IS NULL THEN retry_count ELSE retry_count + 1 END
    FROM next WHERE j.name = $1 AND j.id = next.id
  RETURNING j.id, j.name AS queue, j.data, j.retry_count + 1 AS attempt, j.retry_count >= j.retry_limit AS "isLastAttempt",
            j.started_on::text AS "startedAt"`;

/** The attempt may have expired meanwhile, and another may have begun elsewhere. */
const STILL_OURS = `name = $1 AND id = $2 AND state = 'active' AND started_on = $3::timestamptz`;
const COMPLETE = `
  UPDATE pgboss.job SET state = 'completed', completed_on = now() WHERE ${STILL_OURS} RETURNING id`;
/** With a random part: the first wait is between once and twice the queue's, and it doubles each time. */
const TRY_AGAIN = `
  UPDATE pgboss.job
     SET state = 'retry', output = jsonb_build_object('message', $4::text),
         start_after = now() + interval '1 s' * retry_delay
                         * CASE WHEN retry_backoff THEN 2 ^ least(retry_count, 16) * (1 + random()) ELSE 1 END
   WHERE ${STILL_OURS} RETURNING id`;
const BURY = `
  UPDATE pgboss.job SET state = 'failed', completed_on = now(), output = jsonb_build_object('message', $4::text)
   WHERE ${STILL_OURS} RETURNING id`;
/** Without `started_on` the attempt is not counted. */
const GIVE_BACK = `
  UPDATE pgboss.job j SET state = 'retry', started_on = NULL, start_after = now()
    FROM unnest($1::text[], $2::uuid[], $3::timestamptz[]) AS ours (name, id, started_on)
   WHERE j.name = ours.name AND j.id = ours.id AND j.state = 'active' AND j.started_on = ours.started_on`;

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

/** The jobs in pg-boss's tables. Statements of ours: pg-boss's add one at a time, and end a job whoever has it by now. */
@Injectable()
export class JobsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Two statements for any number of jobs, of which some wait already. */
  async insert(tx: Transaction | undefined, queue: string, jobs: readonly NewJob[]): Promise<void> {
    let left = jobs.map(({ data, afterSeconds = 0, key }) => {
      const id = uuid();
      // Without a key of its own it would share one with all others.
      return { id, data, seconds: afterSeconds, key: key ?? id };
    });
    for (let attempt = 1; left.length > 0; attempt++) {
      if (attempt > MOST_INSERTS) throw new Error(`No job could be added to the queue ${queue}`);
      left = without(left, await this.query(tx, INSERT, [queue, JSON.stringify(left)]));
      if (!tx || left.length === 0) return;
      // The waiting jobs must not begin before this transaction has ended: they would not see what it is about.
      left = without(left, await this.query(tx, HOLD_WAITING, [queue, left.map(({ key }) => key)]));
    }
  }

  /** The one that waits for its first attempt, if there is one. */
  async postponeWaiting(queue: string, key: string, data: object, seconds: number): Promise<void> {
    await this.query(undefined, POSTPONE_WAITING, [queue, [key], JSON.stringify(data), seconds]);
  }

  /** Those of the queues in which a job is due. */
  async due(queues: string[]): Promise<string[]> {
    const rows = await this.query<{ name: string }>(undefined, SOME_DUE, [queues]);
    return rows.map(({ name }) => name);
  }

  /** No two callers get the same job. */
  take(queue: string, most: number): Promise<TakenJob[]> {
    return this.query(undefined, TAKE, [queue, most]);
  }

  /** Like the two below, false when the attempt has expired meanwhile: then its end is not the job's. */
  complete({ queue, id, startedAt }: TakenJob): Promise<boolean> {
    return this.hits(COMPLETE, [queue, id, startedAt]);
  }

  tryAgain({ queue, id, startedAt }: TakenJob, message: string): Promise<boolean> {
    return this.hits(TRY_AGAIN, [queue, id, startedAt, message]);
  }

  bury({ queue, id, startedAt }: TakenJob, message: string): Promise<boolean> {
    return this.hits(BURY, [queue, id, startedAt, message]);
  }

  /** To any instance, at once, as if they had not been begun. */
  async giveBack(jobs: readonly TakenJob[]): Promise<void> {
    await this.query(undefined, GIVE_BACK, [
      jobs.map(({ queue }) => queue),
      jobs.map(({ id }) => id),
      jobs.map(({ startedAt }) => startedAt),
    ]);
  }

  /** Newest first; `before` is the id to go on from. */
  dead(queue: string | undefined, before: string | undefined, limit: number): Promise<DeadJob[]> {
    return this.query(undefined, DEAD, [queue ?? null, before ?? null, limit]);
  }

  /** The queue of the job; undefined when there is no such dead job. */
  async retry(tx: Transaction | undefined, id: string): Promise<string | undefined> {
    const [job] = await this.query<{ name: string }>(tx, RETRY, [id]);
    return job?.name;
  }

  async waiting(): Promise<Map<string, number>> {
    const rows = await this.query<{ name: string; n: number }>(undefined, WAITING, []);
    return new Map(rows.map(({ name, n }) => [name, n]));
  }

  private async hits(text: string, values: unknown[]): Promise<boolean> {
    return (await this.query(undefined, text, values)).length > 0;
  }

  private async query<Row>(tx: Transaction | undefined, text: string, values: unknown[]): Promise<Row[]> {
    const runner = tx ? tx.manager.queryRunner : this.dataSource.createQueryRunner();
    if (!runner) throw new Error('A transaction has a connection');
    try {
      const { records } = await runner.query(text, values, true);
      return records as Row[];
    } finally {
      if (!tx) await runner.release();
    }
  }
}

function without<Job extends { key: string }>(
  jobs: readonly Job[],
  found: readonly { key: string }[],
): Job[] {
  const keys = new Set(found.map(({ key }) => key));
  return jobs.filter(({ key }) => !keys.has(key));
}

import { Injectable, Logger } from '@nestjs/common';
import PgBoss from 'pg-boss';
import { DataSource, type QueryRunner } from 'typeorm';
import { ADVISORY_LOCKS } from '../database/advisory-locks.js';

export interface QueueLimits {
  retries: number;
  firstRetrySeconds: number;
  timeoutSeconds: number;
}

const SCHEMA = 'pgboss';
const HOUR = 3600;
const DAY = 24 * HOUR;
/** An instance that lives ends its attempts itself: for the database they are over a little later. */
const GRACE_SECONDS = 5;

/** The schema `pgboss`, made and kept in order by pg-boss, through the application's connections. */
@Injectable()
export class JobQueuesRepository {
  private readonly logger = new Logger(JobQueuesRepository.name);
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
      await runner.query('SELECT pg_advisory_lock($1)', [ADVISORY_LOCKS.jobs]);
      const boss = this.bossOver({ executeSql: (text, values) => query(runner, text, values) });
      await boss.start();
      for (const [name, { retries, firstRetrySeconds, timeoutSeconds }] of queues) {
        const options = {
          name,
          // At most one job per key in the state "created".
          policy: 'short' as const,
          retryLimit: retries,
          retryDelay: firstRetrySeconds,
          retryBackoff: firstRetrySeconds > 0,
          expireInSeconds: timeoutSeconds + GRACE_SECONDS,
        };
        await boss.createQueue(name, options);
        await boss.updateQueue(name, options);
      }
    } catch (error) {
      await runner.query('ROLLBACK').catch(() => undefined);
      throw error;
    } finally {
      await runner.query('SELECT pg_advisory_unlock($1)', [ADVISORY_LOCKS.jobs]).catch(() => undefined);
      await runner.release();
    }
  }

  /** Jobs of processes that are gone fail when their time is over. */
  async expire(): Promise<void> {
    await this.boss.expire();
  }

  /** Deletes finished jobs after an hour, dead ones after 14 days. */
  async tidy(): Promise<void> {
    await this.boss.maintain();
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

  private async execute(text: string, values: unknown[] | undefined): Promise<{ rows: unknown[] }> {
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

/** Several statements in one string are only taken without parameters. */
async function query(
  runner: QueryRunner,
  text: string,
  values: unknown[] | undefined,
): Promise<{ rows: unknown[] }> {
  const { records } = await runner.query(text, values, true);
  return { rows: records };
}

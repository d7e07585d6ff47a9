import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { TestDatabase } from './database.js';

/** Somebody else at the same Postgres, who keeps others waiting for as long as a test wants. */
export class Intruder {
  /** `watching` is outside of transactions: within one, the activity of others is that of its beginning. */
  private constructor(
    private readonly client: pg.Client,
    private readonly watching: pg.Client,
  ) {}

  static async at({ databaseUrl }: TestDatabase): Promise<Intruder> {
    const [client, watching] = [1, 2].map(() => new pg.Client({ connectionString: databaseUrl })) as [
      pg.Client,
      pg.Client,
    ];
    await Promise.all([client.connect(), watching.connect()]);
    return new Intruder(client, watching);
  }

  async leave(): Promise<void> {
    await Promise.all([this.client.end(), this.watching.end()]);
  }

  async sql(statement: string, parameters: unknown[] = []): Promise<void> {
    await this.client.query(statement, parameters);
  }

  /** What the statement locks or changes is committed when `work` is done. */
  async holds<T>(statement: string, parameters: unknown[], work: () => Promise<T>): Promise<T> {
    await this.client.query('BEGIN');
    try {
      await this.client.query(statement, parameters);
      return await work();
    } finally {
      await this.client.query('COMMIT');
    }
  }

  /** For a lock in this database. */
  async sees(waiting: number): Promise<void> {
    const asked = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    for (let tries = 0; ((await this.watching.query(asked)).rowCount ?? 0) < waiting; tries++) {
      if (tries > 500) throw new Error(`There are no ${String(waiting)} who wait for a lock`);
      await pause(10);
    }
  }
}

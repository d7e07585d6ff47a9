import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { DataSource, MigrationExecutor, type QueryRunner } from 'typeorm';
import { ADVISORY_LOCKS } from './advisory-locks.js';
import { connect } from './connect.js';
import type { PostgresOptions } from './database.options.js';

const LOOK_AGAIN_MS = 200;

const logger = new Logger('Database');

/**
 * Brings the schema up to date, before the application connects. Nodes that start together migrate once: one session
 * holds an advisory lock and runs the migrations on that same connection, the others wait and find nothing left to do.
 */
export async function migrate(options: PostgresOptions): Promise<void> {
  const dataSource = new DataSource(onOneConnection(options));
  await connect(dataSource);
  const runner = dataSource.createQueryRunner();
  try {
    await lock(runner);
    const executor = new MigrationExecutor(dataSource, runner);
    executor.transaction = 'each';
    for (const { name } of await executor.executePendingMigrations()) logger.log(`Migrated: ${name}`);
  } finally {
    await runner.release();
    // The end of its session frees the lock.
    await dataSource.destroy();
  }
}

/** A migration may take longer than a statement of the application. */
function onOneConnection(options: PostgresOptions): PostgresOptions {
  const extra = options.extra as Record<string, unknown> | undefined;
  return {
    ...options,
    entities: [],
    poolSize: 1,
    extra: { ...extra, statement_timeout: 0, query_timeout: 0, idle_in_transaction_session_timeout: 0 },
  };
}

/** Asks again and again instead of waiting inside a statement: CREATE INDEX CONCURRENTLY waits for every older statement to end. */
async function lock(runner: QueryRunner): Promise<void> {
  for (let said = false; ; said = true) {
    const [row] = (await runner.query('SELECT pg_try_advisory_lock($1) AS locked', [
      ADVISORY_LOCKS.migration,
    ])) as {
      locked: boolean;
    }[];
    if (row?.locked) return;
    if (!said) logger.log('Another node migrates the database; waiting for it');
    await sleep(LOOK_AGAIN_MS);
  }
}

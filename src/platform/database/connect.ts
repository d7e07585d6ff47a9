import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { databaseFault } from '../errors/database-error.js';
import type { PostgresOptions } from './database.options.js';

const PATIENCE_MS = 10_000;
const RETRY_MS = 1000;
const LEAST_VERSION = 15;
/** cannot_connect_now: Postgres is starting, or stopping. */
const STARTING = '57P03';

const logger = new Logger('Database');

/** The database cannot be used; the message is one sentence for the operator, without the password. */
export class DatabaseUnavailable extends Error {
  constructor(where: string, reason: string, cause?: unknown) {
    super(`Cannot use the database ${where}: ${reason}`, { cause });
    this.name = 'DatabaseUnavailable';
  }
}

/** Connects, waiting about 10 s for a server that starts at the same time. A server that answers "no" is believed at once. */
export async function connect(dataSource: DataSource, patienceMs = PATIENCE_MS): Promise<void> {
  const where = addressOf(dataSource.options as PostgresOptions);
  const deadline = Date.now() + patienceMs;
  for (let attempt = 1; ; attempt++) {
    try {
      await dataSource.initialize();
      break;
    } catch (error) {
      const reason = reasonOf(error);
      if (!mayPass(error) || Date.now() + RETRY_MS > deadline)
        throw new DatabaseUnavailable(where, reason, error);
      logger.warn(
        `Attempt ${String(attempt)} to reach the database ${where} failed (${reason}); trying again`,
      );
      await sleep(RETRY_MS);
    }
  }
  await refuseOldServer(dataSource, where);
}

async function refuseOldServer(dataSource: DataSource, where: string): Promise<void> {
  const version = Number.parseInt(dataSource.driver.version ?? '', 10);
  if (version >= LEAST_VERSION) return;
  await dataSource.destroy();
  throw new DatabaseUnavailable(
    where,
    `it is Postgres ${String(version)}, and ${String(LEAST_VERSION)} or newer is needed`,
  );
}

/** No answer at all, or "not yet": not a wrong password, and not a database that does not exist. */
function mayPass(error: unknown): boolean {
  const fault = databaseFault(error);
  return fault === undefined || fault.sqlState === STARTING;
}

function reasonOf(error: unknown): string {
  // Node tries every address of a name and reports them together, with an empty message.
  if (error instanceof AggregateError) return [...new Set(error.errors.map(reasonOf))].join(', ');
  return error instanceof Error ? error.message : String(error);
}

function addressOf({ url }: PostgresOptions): string {
  if (!url) return '(embedded)';
  const { host, pathname } = new URL(url);
  return `at ${host}${pathname}`;
}

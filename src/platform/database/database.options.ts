import { Logger } from '@nestjs/common';
import type { Client } from 'pg';
import type { DataSourceOptions } from 'typeorm';
import type { Config } from '../config/config.js';
import type { EmbeddedDatabase } from './embedded-database.js';
import { hasForgotten } from './forgotten-statement.js';
import { migrations } from './migrations/index.js';

export type PostgresOptions = Extract<DataSourceOptions, { type: 'postgres' }>;

/** A server that does not answer a handshake for so long counts as absent; also the longest wait for a free connection. */
const CONNECT_TIMEOUT_MS = 5000;
const STATEMENT_TIMEOUT_MS = 15_000;
/** The server keeps the limit above; an answer later than this will not come: it is cut off from us. */
const ANSWER_TIMEOUT_MS = 20_000;
/** What `pg` fails a statement with after `query_timeout`; it has no code. */
const LATE = 'Query read timeout';
/** A process that hangs inside a transaction would keep its locks. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 30_000;

const logger = new Logger('Database');

/** The one place that tells TypeORM how to reach the database: Postgres, or PGlite through the same driver. Entities are the caller's. */
export function databaseOptions(
  { database }: Pick<Config, 'database'>,
  embedded?: EmbeddedDatabase,
): PostgresOptions {
  if (database.kind === 'postgres') return { ...common, ...overNetwork(database.url, database.poolSize) };
  if (!embedded) throw new Error('The embedded database has to be opened first');
  return { ...common, ...inProcess(embedded) };
}

const common = {
  type: 'postgres',
  synchronize: false,
  migrationsRun: false,
  migrations,
  migrationsTransactionMode: 'each',
  // Ids are made here; Postgres needs no extension for them, and its user may not be allowed to install any.
  installExtensions: false,
  // `count(*)` and positions are numbers; none of ours comes near 2^53.
  parseInt8: true,
  // Errors are logged once, by the filter or the caller, without the parameters TypeORM would print.
  logging: false,
  poolErrorHandler: (error: unknown) =>
    logger.warn(`An idle connection failed: ${error instanceof Error ? error.message : String(error)}`),
} satisfies PostgresOptions;

function overNetwork(url: string, poolSize: number): Partial<PostgresOptions> {
  return {
    url,
    poolSize,
    applicationName: 'parley',
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    extra: {
      statement_timeout: STATEMENT_TIMEOUT_MS,
      query_timeout: ANSWER_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
      options: '-c TimeZone=UTC',
      keepAlive: true,
      onConnect: (client: Client) => {
        survive(client);
        endWhenUseless(client);
      },
      pipeline: true,
    },
  };
}

/** One connection that is never given up, and units of work that queue for it without a limit in time. */
function inProcess(embedded: EmbeddedDatabase): Partial<PostgresOptions> {
  return {
    poolSize: 1,
    // Said here, or `pg` would take them from PG* variables that are meant for another database.
    username: 'postgres',
    database: 'postgres',
    ssl: false,
    extra: { stream: () => embedded.stream(), idleTimeoutMillis: 0, onConnect: survive, pipeline: true },
  };
}

/**
 * While a connection passes from the pool to TypeORM nobody listens to it. A server that says goodbye in that moment
 * (a restart, `pg_terminate_backend`) would end this process; the next statement on the connection fails, and that is all.
 */
function survive(client: Client): void {
  client.on('error', () => undefined);
}

/**
 * A late answer would be taken for that of the connection's next statement, so a connection that owes one is closed, in
 * the same breath: it takes no further statement (not even ROLLBACK), and the pool makes another in its place.
 * So is one whose session has forgotten a prepared statement: the driver would go on naming it for ever.
 */
function endWhenUseless(client: Client): void {
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  const watched = (...args: unknown[]): unknown => {
    const answer = query(...args);
    if (answer instanceof Promise)
      answer.catch((error: unknown) => {
        if ((error instanceof Error && error.message === LATE) || hasForgotten(error)) void client.end();
      });
    return answer;
  };
  client.query = watched as Client['query'];
}

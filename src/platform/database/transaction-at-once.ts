import type { PoolClient, QueryResult } from 'pg';
import type { DataSource } from 'typeorm';
import { arrayParameter } from './array-parameter.js';
import { endSession, inDoubt } from './commit-in-doubt.js';
import { cork } from './cork.js';
import { RolledBack, type RowsOf, type Statement } from './pipelined-transaction.js';

/**
 * Postgres compares what a plan for any values and one for these values would cost, and where LIMIT is a value it takes the
 * first for dear in a large table: then it plans anew each time, which takes longer than to read the page.
 */
export const PLANNED_ONCE = 'SET LOCAL plan_cache_mode = force_generic_plan';

/**
 * A transaction whose statements are all known before it begins, in one round trip. `start` begins it and sets what is to
 * hold in it: gone with it, also behind a pooler that gives every transaction another connection. Only the last statement
 * may write: one that the driver refuses is not sent, and what comes after it is. When the end is not answered
 * (`inDoubt`), the session is ended as well: half of a transaction would keep its locks.
 */
export async function atOnce<const S extends readonly Statement[]>(
  dataSource: DataSource,
  start: string,
  statements: S,
): Promise<RowsOf<S>> {
  let processId: number | undefined;
  try {
    return await onOneConnection(dataSource, (client) => {
      processId = client.processID;
      return send(client, start, statements);
    });
  } catch (error) {
    if (processId !== undefined && inDoubt(error))
      await endSession(dataSource, processId).catch(() => undefined);
    throw error;
  }
}

async function send<S extends readonly Statement[]>(
  client: PoolClient,
  start: string,
  statements: S,
): Promise<RowsOf<S>> {
  const uncork = cork(client);
  const answers = [
    client.query(start),
    ...statements.map(({ name, text, values }) =>
      client.query<object>({ name, text, values: values.map(arrayParameter) }),
    ),
    client.query('COMMIT'),
  ];
  uncork();
  // All of them before the connection is somebody else's.
  const results = (await Promise.allSettled(answers)).map(valueOf);
  if (results.at(-1)?.command !== 'COMMIT') throw new RolledBack();
  return results.slice(1, -1).map(({ rows }) => rows) as RowsOf<S>;
}

/**
 * A read outside units of work that Postgres parses and plans once per connection: for statements that take longer to plan
 * than to run. Their plan must be right for whatever values come.
 */
export async function readPrepared<Row extends object>(
  dataSource: DataSource,
  statement: Statement<Row>,
): Promise<Row[]> {
  const start = `START TRANSACTION READ ONLY; ${PLANNED_ONCE}`;
  const [rows = []] = await onOneConnection(dataSource, (client) => send(client, start, [statement]));
  return rows;
}

/** The connection as the driver has it, with what its types leave out. */
type Connection = PoolClient & { readonly processID?: number };

async function onOneConnection<T>(
  dataSource: DataSource,
  use: (client: Connection) => Promise<T>,
): Promise<T> {
  const runner = dataSource.createQueryRunner();
  try {
    return await use((await runner.connect()) as Connection);
  } finally {
    await runner.release();
  }
}

function valueOf(answer: PromiseSettledResult<QueryResult<object>>): QueryResult<object> {
  if (answer.status === 'rejected') throw answer.reason;
  return answer.value;
}

import type { PoolClient, QueryResult } from 'pg';
import type { DataSource } from 'typeorm';
import { cork } from './cork.js';
import type { Statement } from './pipelined-transaction.js';

/**
 * Postgres compares what a plan for any values and one for these values would cost, and where LIMIT is a value it takes the
 * first for dear in a large table: then it plans anew each time, which takes longer than to read the page.
 */
const ANY_VALUES = {
  name: 'plan-for-any-values',
  text: "SELECT set_config('plan_cache_mode', 'force_generic_plan', true)",
};

/**
 * A read outside units of work, in one round trip, that Postgres parses and plans once per connection: for statements that
 * take longer to plan than to run. Their plan must be right for whatever values come. In a transaction of its own, so that
 * what it sets is gone with it, also behind a pooler that gives every transaction another connection.
 */
export async function readPrepared<Row extends object>(
  dataSource: DataSource,
  { name, text, values }: Statement<Row>,
): Promise<Row[]> {
  const runner = dataSource.createQueryRunner();
  try {
    const client = (await runner.connect()) as PoolClient;
    const uncork = cork(client);
    const answers = [
      client.query('START TRANSACTION READ ONLY'),
      client.query(ANY_VALUES),
      client.query<Row>({ name, text, values: [...values] }),
      client.query('COMMIT'),
    ] as const;
    uncork();
    // All of them before the connection is somebody else's.
    const [begun, set, read] = await Promise.allSettled(answers);
    return [begun, set, read].map(valueOf).at(-1)?.rows as Row[];
  } finally {
    await runner.release();
  }
}

function valueOf(answer: PromiseSettledResult<QueryResult>): QueryResult {
  if (answer.status === 'rejected') throw answer.reason;
  return answer.value;
}

import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import type { Statement } from './pipelined-transaction.js';

/**
 * A read outside units of work that Postgres parses, and sooner or later plans, once per connection: for statements that
 * take longer to plan than to run. Their plan must be right for whatever values come.
 */
export async function readPrepared<Row extends object>(
  dataSource: DataSource,
  { name, text, values }: Statement<Row>,
): Promise<Row[]> {
  const runner = dataSource.createQueryRunner();
  try {
    const client = (await runner.connect()) as PoolClient;
    const { rows } = await client.query<Row>({ name, text, values: [...values] });
    return rows;
  } finally {
    await runner.release();
  }
}

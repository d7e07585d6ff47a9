import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Statement } from '../database/pipelined-transaction.js';

export interface ClusterCommand {
  id: number;
  node: string;
  topic: string;
  payload: object;
  /** Older than any transaction that may still be writing: no row with a smaller id will come. */
  settled: boolean;
}

/** A transaction that is open for longer than this is ended by Postgres (idle) or by us (statement_timeout). */
const SETTLED_AFTER = `interval '60 seconds'`;
const KEPT_FOR = `interval '10 minutes'`;

export function insertCommands(
  node: string,
  commands: readonly { topic: string; payload: object }[],
): Statement {
  return {
    name: 'cluster-commands-insert',
    text: `INSERT INTO cluster_commands (node, topic, payload)
       SELECT $1, u.topic, u.payload FROM unnest($2::text[], $3::json[]) WITH ORDINALITY AS u(topic, payload, n) ORDER BY u.n`,
    values: [
      node,
      commands.map(({ topic }) => topic),
      commands.map(({ payload }) => JSON.stringify(payload)),
    ],
  };
}

/** The table `cluster_commands`. */
@Injectable()
export class ClusterCommandsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** In the order they were written. */
  after(id: number): Promise<ClusterCommand[]> {
    return this.dataSource.query<ClusterCommand[]>(
      `SELECT id, node, topic, payload, created_at < clock_timestamp() - ${SETTLED_AFTER} AS settled
         FROM cluster_commands WHERE id > $1 ORDER BY id`,
      [id],
    );
  }

  async removeOld(): Promise<void> {
    await this.dataSource.query(
      `DELETE FROM cluster_commands WHERE created_at < clock_timestamp() - ${KEPT_FOR}`,
    );
  }
}

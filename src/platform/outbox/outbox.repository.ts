import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ALWAYS } from '../database/conditional-writes.js';
import type { Statement } from '../database/pipelined-transaction.js';
import type { Transaction } from '../database/unit-of-work.js';
import type { OutboxFact, OutboxRow } from './outbox-topic.js';

export interface TakenRow extends OutboxRow {
  attempts: number;
}

/** A row that was given up. */
export interface DeadRow extends OutboxRow {
  topic: string;
  attempts: number;
  deadAt: Date;
  error: string;
}

/** What a topic looks like from outside. */
export interface TopicState {
  topic: string;
  /** Something can be handled at once. */
  due: boolean;
  /** Age of the oldest row that is not dead; 0 without any. */
  lagSeconds: number;
}

/** 1, 2, 4 ... seconds from one attempt to the next: about 9 minutes in all. */
const MOST_ATTEMPTS = 10;
/** What waits for a lock is tried again after. */
const HELD_FOR = `interval '1 second'`;
const ROW = 'id, payload, created_at AS "createdAt", attempts';

export function insertFacts(facts: readonly OutboxFact[]): Statement {
  return {
    name: 'outbox-insert',
    // Sorted, so that ids grow in the order of the facts.
    text: `INSERT INTO outbox (topic, payload)
       SELECT u.topic, u.payload FROM unnest($1::text[], $2::json[]) WITH ORDINALITY AS u(topic, payload, n)
        WHERE ${ALWAYS} ORDER BY u.n`,
    values: [facts.map(({ topic }) => topic), facts.map(({ payload }) => JSON.stringify(payload))],
  };
}

/** The table `outbox`. */
@Injectable()
export class OutboxRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** The next rows nobody else is working on, locked until the transaction ends. */
  take({ manager }: Transaction, topic: string, limit: number): Promise<TakenRow[]> {
    return manager.query<TakenRow[]>(
      `SELECT ${ROW} FROM outbox WHERE topic = $1 AND dead_at IS NULL AND due_at <= clock_timestamp()
        ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED`,
      [topic, limit],
    );
  }

  /** Those of these rows that are still there and not taken by another node. */
  takeOnly({ manager }: Transaction, ids: readonly number[]): Promise<TakenRow[]> {
    return manager.query<TakenRow[]>(
      `SELECT ${ROW} FROM outbox WHERE id = ANY($1::bigint[]) AND dead_at IS NULL AND due_at <= clock_timestamp()
        ORDER BY id FOR UPDATE SKIP LOCKED`,
      [ids],
    );
  }

  async remove({ manager }: Transaction, rows: readonly TakenRow[]): Promise<void> {
    await manager.query('DELETE FROM outbox WHERE id = ANY($1::bigint[])', [rows.map(({ id }) => id)]);
  }

  /** Not their fault: it is no attempt. */
  async postpone({ manager }: Transaction, rows: readonly TakenRow[]): Promise<void> {
    await manager.query(
      `UPDATE outbox SET due_at = clock_timestamp() + ${HELD_FOR} WHERE id = ANY($1::bigint[]) AND dead_at IS NULL`,
      [rows.map(({ id }) => id)],
    );
  }

  /** Puts a row off, or gives it up: 'dead'. Two nodes that failed on the same attempt count it once. */
  async fail({ manager }: Transaction, row: TakenRow, error: string): Promise<'later' | 'dead'> {
    const [rows] = await manager.query<[{ dead: boolean }[], number]>(
      `UPDATE outbox
          SET attempts = attempts + 1, error = $3,
              due_at = clock_timestamp() + power(2, attempts) * interval '1 second',
              dead_at = CASE WHEN attempts + 1 >= $4 THEN clock_timestamp() END
        WHERE id = $1 AND attempts = $2 AND dead_at IS NULL
       RETURNING dead_at IS NOT NULL AS dead`,
      [row.id, row.attempts, error, MOST_ATTEMPTS],
    );
    return rows[0]?.dead ? 'dead' : 'later';
  }

  /** In one statement for all topics, and two look-ups in an index for each. */
  look(topics: readonly string[]): Promise<TopicState[]> {
    return this.dataSource.query<TopicState[]>(
      `SELECT t.topic,
              EXISTS (SELECT FROM outbox o
                       WHERE o.topic = t.topic AND o.dead_at IS NULL AND o.due_at <= clock_timestamp()) AS due,
              coalesce((SELECT extract(epoch FROM clock_timestamp() - o.created_at)::float8 FROM outbox o
                         WHERE o.topic = t.topic AND o.dead_at IS NULL ORDER BY o.id LIMIT 1), 0) AS "lagSeconds"
         FROM unnest($1::text[]) AS t(topic)`,
      [topics],
    );
  }

  async waiting(atMost: number): Promise<number> {
    const [row] = await this.dataSource.query<{ n: number }[]>(
      'SELECT count(*) AS n FROM (SELECT FROM outbox WHERE dead_at IS NULL LIMIT $1) AS o',
      [atMost],
    );
    return row?.n ?? 0;
  }

  dead(after: number, limit: number): Promise<DeadRow[]> {
    return this.dataSource.query<DeadRow[]>(
      `SELECT ${ROW}, topic, dead_at AS "deadAt", error FROM outbox
        WHERE dead_at IS NOT NULL AND id > $1 ORDER BY id LIMIT $2`,
      [after, limit],
    );
  }

  /** As if it had never failed. Undefined when there is no such dead row. */
  async revive({ manager }: Transaction, id: number): Promise<string | undefined> {
    const [rows] = await manager.query<[{ topic: string }[], number]>(
      `UPDATE outbox SET dead_at = NULL, error = NULL, attempts = 0, due_at = clock_timestamp()
        WHERE id = $1 AND dead_at IS NOT NULL RETURNING topic`,
      [id],
    );
    return rows[0]?.topic;
  }
}

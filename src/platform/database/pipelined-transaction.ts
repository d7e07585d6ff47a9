import type { PoolClient } from 'pg';
import type { QueryRunner } from 'typeorm';
import { arrayParameter } from './array-parameter.js';
import { cork } from './cork.js';

/** One statement and its values. With a name, Postgres parses it once per connection and knows it by that from then on. */
export interface Statement<Row extends object = object> {
  /** Of this text and no other; at most 63 characters. */
  readonly name?: string;
  readonly text: string;
  readonly values: readonly unknown[];
  /** Never there: it carries the type of the rows. */
  readonly row?: Row;
}

/** What `send` answers, in the order of the statements; no rows where there was no statement. */
export type RowsOf<S extends readonly (Statement | undefined)[]> = {
  [K in keyof S]: Exclude<S[K], undefined> extends Statement<infer Row> ? Row[] : never;
};

/** COMMIT was answered with ROLLBACK. */
export class RolledBack extends Error {
  constructor() {
    super('Nothing was committed: a statement of the transaction had failed');
  }
}

const START = 'START TRANSACTION';

/**
 * A transaction that waits for as few answers as it can. BEGIN leaves together with the first statement, statements that
 * do not depend on each other's answers leave together, and the last ones leave together with COMMIT: a batch of messages
 * is two round trips. TypeORM goes on keeping the books of the transaction; only its BEGIN, COMMIT and ROLLBACK are met on
 * their way. Relies on `pipeline: true` of the driver. Every statement of a group sees what was committed before it began
 * itself, as if it had been sent alone.
 */
export class PipelinedTransaction {
  private readonly plainQuery: (...query: unknown[]) => Promise<unknown>;
  private begun: Promise<unknown> | undefined;
  private readonly last: Statement[] = [];
  private asked = false;

  /** Whether the server was asked to commit: until then a unit that fails was not committed, whatever it fails with. */
  get commitAsked(): boolean {
    return this.asked;
  }

  /** Whether something is to be written that the server does not know of yet. */
  get writesWithCommit(): boolean {
    return this.last.length > 0;
  }

  /** `start` begins it, and may go on to what shall hold in this transaction only. */
  constructor(
    private readonly runner: QueryRunner,
    private readonly start = START,
  ) {
    this.plainQuery = runner.query.bind(runner) as (...query: unknown[]) => Promise<unknown>;
    runner.query = ((sql: string, ...rest: unknown[]) => this.query(sql, rest)) as QueryRunner['query'];
  }

  /** One round trip. Fails with the first statement that fails; those after it are not executed. */
  async send<const S extends readonly (Statement | undefined)[]>(statements: S): Promise<RowsOf<S>> {
    const client = await this.client();
    const answers = this.write(client, statements);
    const [, ...results] = await Promise.all([this.begun, ...answers]);
    return results.map((result) => result?.rows ?? []) as RowsOf<S>;
  }

  /** For what nobody waits to read: leaves with COMMIT, and fails it when it fails. */
  sendWithCommit(statements: readonly Statement[]): void {
    this.last.push(...statements);
  }

  private async query(sql: string, rest: unknown[]): Promise<unknown> {
    if (sql === START) return [];
    if (sql === 'COMMIT') return this.commit();
    if (sql === 'ROLLBACK' && !this.begun) return [];
    const client = await this.client();
    this.begin(client);
    const answer = this.plainQuery(sql, ...rest);
    // Without BEGIN it was no part of a transaction, whatever came of it.
    const [result] = await Promise.all([answer, this.begun]);
    return result;
  }

  private write(client: PoolClient, statements: readonly (Statement | undefined)[]) {
    const uncork = cork(client);
    try {
      this.begin(client);
      return statements.map((statement) => statement && execute(client, statement));
    } finally {
      uncork();
    }
  }

  /** Nothing was asked: then there is nothing to commit either. */
  private async commit(): Promise<unknown> {
    if (!this.begun && this.last.length === 0) return [];
    const client = await this.client();
    const answers = await this.sendLast(client);
    const [committed] = await Promise.all([answers.commit, this.begun, ...answers.last]);
    // What a failed statement has spoilt is answered so, and with no error: somebody may have caught that statement's.
    if (committed.command !== 'COMMIT') throw new RolledBack();
    return [];
  }

  /** In one packet, unless the driver refuses one of the statements: the others must not be committed without it. */
  private async sendLast(client: PoolClient) {
    const uncork = cork(client);
    try {
      this.begin(client);
      const last = this.last.map((statement) => execute(client, statement));
      if (last.length > 0) await Promise.race([Promise.all(last), nextTick().then(nextTick)]);
      this.asked = true;
      return { last, commit: client.query('COMMIT') };
    } finally {
      uncork();
    }
  }

  private begin(client: PoolClient): void {
    if (this.begun) return;
    this.begun = client.query(this.start);
    // Whoever waits for the statements behind it is told; nobody else.
    this.begun.catch(() => undefined);
  }

  private client(): Promise<PoolClient> {
    return this.runner.connect() as Promise<PoolClient>;
  }
}

function execute(client: PoolClient, { name, text, values }: Statement) {
  return client.query<object>({ name, text, values: values.map(arrayParameter) });
}

/** Its refusals come in the next tick, and are known to whoever waits for them when that tick has been worked off. */
const nextTick = () => new Promise<void>((resolve) => process.nextTick(resolve));

import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, type QueryRunner } from 'typeorm';
import { AppError } from '../errors/app-error.js';
import { DomainEvents } from '../events/domain-events.js';
import { inDoubt, wasCommitted } from './commit-in-doubt.js';
import { PipelinedTransaction, type RowsOf, type Statement } from './pipelined-transaction.js';

/**
 * A running transaction. Every repository method that writes takes one, so forgetting it does not compile.
 * Facts raised here are handed out after COMMIT and forgotten after ROLLBACK.
 */
export interface Transaction {
  readonly manager: EntityManager;
  /** Statements that do not need each other's answers, in one round trip and in this order. */
  send<const S extends readonly (Statement | undefined)[]>(...statements: S): Promise<RowsOf<S>>;
  /** The end of the unit: these are sent together with COMMIT, and nothing after them. */
  sendWithCommit(...statements: readonly Statement[]): void;
  raise(event: object): void;
  /** Of the transaction, `pg_current_xact_id()`; set by who has read it anyway, else read when somebody is to be told of the COMMIT. */
  xid?: string;
}

/** What a unit came to, and how to learn whether that was committed when COMMIT was not answered. */
interface Ended<T> {
  result: T;
  doubt?: { xid: string; error: unknown };
}

/** True inside `UnitOfWork.run`: a query through the pool would wait for a connection this unit may be holding. */
const inside = new AsyncLocalStorage<true>();

/** Runs a use case in one transaction, on one connection. */
@Injectable()
export class UnitOfWork {
  private statementFor: (raised: readonly object[]) => Statement | undefined = () => undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly events: DomainEvents,
  ) {
    refusePoolInside(dataSource);
  }

  /**
   * Commits when `work` resolves, rolls back when it throws. Cannot be nested: a use case is one transaction.
   * A COMMIT without an answer is settled when it matters to others, that is when events were raised or `xid` is known:
   * the membership of somebody who was kicked is gone, and nobody would tell their sockets. `start` is START TRANSACTION
   * with what is to hold inside: `; SET LOCAL ...`.
   */
  async run<T>(work: (tx: Transaction) => Promise<T>, start?: string): Promise<T> {
    const raised: object[] = [];
    const { result, doubt } = await this.onOneConnection(
      (runner, pipeline) => transact(runner, pipeline, raised, work, this.statementFor),
      start,
    );
    if (doubt && !(await wasCommitted(this.dataSource, doubt.xid))) throw connectionLost(doubt.error);
    for (const event of raised) this.events.publish(event);
    return result;
  }

  /** Of every unit that raises events, what is to be written with them. */
  writeWithCommit(statementFor: (raised: readonly object[]) => Statement | undefined): void {
    this.statementFor = statementFor;
  }

  private async onOneConnection<T>(
    use: (runner: QueryRunner, pipeline: PipelinedTransaction) => Promise<T>,
    start?: string,
  ): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    const pipeline = new PipelinedTransaction(runner, start);
    try {
      await runner.startTransaction();
      return await use(runner, pipeline);
    } catch (error) {
      // TypeORM lets go of a connection that breaks, and then has a word of its own for every further statement.
      throw runner.isReleased ? connectionLost(error) : error;
    } finally {
      // A lost connection cannot roll back; the server has done so already.
      if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
      await runner.release();
    }
  }
}

async function transact<T>(
  runner: QueryRunner,
  pipeline: PipelinedTransaction,
  raised: object[],
  work: (tx: Transaction) => Promise<T>,
  statementFor: (raised: readonly object[]) => Statement | undefined,
): Promise<Ended<T>> {
  const tx: Transaction = {
    manager: runner.manager,
    send: (...statements) => pipeline.send(statements),
    sendWithCommit: (...statements) => pipeline.sendWithCommit(statements),
    raise: (event) => void raised.push(event),
  };
  const result = await inside.run(true, () => work(tx));
  const last = statementFor(raised);
  if (last) pipeline.sendWithCommit([last]);
  const xid = tx.xid ?? (raised.length > 0 ? await idOf(runner, pipeline) : undefined);
  try {
    await runner.commitTransaction();
    return { result };
  } catch (error) {
    if (xid === undefined || !pipeline.commitAsked || !inDoubt(error)) throw error;
    return { result, doubt: { xid, error } };
  }
}

/** None when nothing was written: then nothing was lost either. */
async function idOf(
  runner: QueryRunner,
  { writesWithCommit }: PipelinedTransaction,
): Promise<string | undefined> {
  const id = writesWithCommit ? 'pg_current_xact_id()' : 'pg_current_xact_id_if_assigned()';
  const [row] = (await runner.query(`SELECT ${id}::text AS xid`)) as { xid: string | null }[];
  return row?.xid ?? undefined;
}

function connectionLost(cause: unknown): AppError {
  return new AppError('UNAVAILABLE', 'The connection to the database was lost', { cause });
}

/** With one connection such a query waits for itself; with ten, ten of them do. Fail at once, where the mistake is. */
function refusePoolInside(dataSource: DataSource): void {
  const create = dataSource.createQueryRunner.bind(dataSource);
  dataSource.createQueryRunner = (...args) => {
    if (inside.getStore()) throw new Error('A query went around the unit of work it runs in: use tx.manager');
    return create(...args);
  };
}

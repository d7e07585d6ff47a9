import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AppError } from '../errors/app-error.js';
import { DomainEvents } from '../events/domain-events.js';

/**
 * A running transaction. Every repository method that writes takes one, so forgetting it does not compile.
 * Facts raised here are handed out after COMMIT and forgotten after ROLLBACK.
 */
export interface Transaction {
  readonly manager: EntityManager;
  raise(event: object): void;
}

/** True inside `UnitOfWork.run`: a query through the pool would wait for a connection this unit may be holding. */
const inside = new AsyncLocalStorage<true>();

/** Runs a use case in one transaction, on one connection. */
@Injectable()
export class UnitOfWork {
  constructor(
    private readonly dataSource: DataSource,
    private readonly events: DomainEvents,
  ) {
    refusePoolInside(dataSource);
  }

  /** Commits when `work` resolves, rolls back when it throws. Cannot be nested: a use case is one transaction. */
  async run<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const raised: object[] = [];
    const runner = this.dataSource.createQueryRunner();
    try {
      await runner.startTransaction();
      const tx: Transaction = { manager: runner.manager, raise: (event) => void raised.push(event) };
      const result = await inside.run(true, () => work(tx));
      await runner.commitTransaction();
      for (const event of raised) this.events.publish(event);
      return result;
    } catch (error) {
      // TypeORM lets go of a connection that breaks, and then has a word of its own for every further statement.
      if (runner.isReleased)
        throw new AppError('UNAVAILABLE', 'The connection to the database was lost', { cause: error });
      // A lost connection cannot roll back; the server has done so already.
      if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
      throw error;
    } finally {
      await runner.release();
    }
  }
}

/** With one connection such a query waits for itself; with ten, ten of them do. Fail at once, where the mistake is. */
function refusePoolInside(dataSource: DataSource): void {
  const create = dataSource.createQueryRunner.bind(dataSource);
  dataSource.createQueryRunner = (...args) => {
    if (inside.getStore()) throw new Error('A query went around the unit of work it runs in: use tx.manager');
    return create(...args);
  };
}

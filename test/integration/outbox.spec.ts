import {
  Injectable,
  Module,
  type INestApplicationContext,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { ConfigModule } from '../../src/platform/config/config.module.js';
import { DatabaseModule } from '../../src/platform/database/database.module.js';
import { UnitOfWork, type Transaction } from '../../src/platform/database/unit-of-work.js';
import { AppError } from '../../src/platform/errors/app-error.js';
import { EventsModule } from '../../src/platform/events/events.module.js';
import { currentRequestId, runWithRequestId } from '../../src/platform/identity/request-context.js';
import { Metrics } from '../../src/platform/metrics/metrics.js';
import { MetricsModule } from '../../src/platform/metrics/metrics.module.js';
import { Outbox } from '../../src/platform/outbox/outbox.js';
import { OutboxModule } from '../../src/platform/outbox/outbox.module.js';
import type { OutboxRow, OutboxTopic } from '../../src/platform/outbox/outbox-topic.js';
import { configOn, createTestDatabase, type TestDatabase } from '../harness/database.js';
import { onPostgres } from '../harness/writer-fixture.js';

interface Thing {
  n: number;
}
const THINGS = 'test.things' as OutboxTopic<Thing>;
const OTHERS = 'test.others' as OutboxTopic<Thing>;

/** What the consumers of all nodes have been through. */
let batches: { topic: string; numbers: number[]; requestId: string | undefined }[] = [];
/** Runs after a consumer has written what a batch of things leads to. */
let after: (tx: Transaction, numbers: number[]) => Promise<void> | void = () => undefined;
let changed: () => void = () => undefined;

/** A feature, as far as the outbox is concerned: it registers in onModuleInit and writes one row for each thing. */
@Injectable()
class Consumer implements OnModuleInit, OnModuleDestroy {
  constructor(private readonly outbox: Outbox) {}

  onModuleInit(): void {
    for (const topic of [THINGS, OTHERS])
      this.outbox.drain(topic, async (tx, rows: OutboxRow<Thing>[]) => {
        const numbers = rows.map(({ payload }) => payload.n);
        await tx.manager.query('INSERT INTO handled (topic, n) SELECT $1, unnest($2::int[])', [
          topic,
          numbers,
        ]);
        await after(tx, numbers);
        batches.push({ topic, numbers, requestId: currentRequestId() });
        changed();
      });
  }

  onModuleDestroy(): Promise<void> {
    return this.outbox.stop();
  }
}

async function startNode(database: TestDatabase): Promise<INestApplicationContext> {
  @Module({
    imports: [
      ConfigModule.with(configOn(database)),
      EventsModule,
      MetricsModule,
      DatabaseModule,
      OutboxModule,
    ],
    providers: [Consumer],
  })
  class NodeModule {}
  const node = await NestFactory.createApplicationContext(NodeModule, { logger: false });
  return node.init();
}

describe('the outbox', () => {
  let database: TestDatabase;
  let node: INestApplicationContext;
  const sql = <Row = Record<string, unknown>>(statement: string, parameters: unknown[] = []) =>
    node.get(DataSource).query<Row[]>(statement, parameters);
  const run = <T>(work: (tx: Transaction) => Promise<T>) => node.get(UnitOfWork).run(work);
  const outbox = () => node.get(Outbox);
  const things = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => ({ n: from + index }));
  const append = (from: number, count = 1, topic = THINGS) =>
    run((tx) => outbox().append(tx, topic, things(from, count)));
  const rows = () =>
    sql<{ id: number; n: number; attempts: number; dead: boolean; wait: number }>(
      `SELECT id, (payload->>'n')::int AS n, attempts, dead_at IS NOT NULL AS dead,
            extract(epoch FROM due_at - clock_timestamp())::float8 AS wait FROM outbox ORDER BY id`,
    );
  const handled = async () =>
    (await sql<{ n: number }>('SELECT n FROM handled ORDER BY at, n')).map(({ n }) => n);

  /** Waits for a state of the tables: looked at again whenever a consumer did something, and at least every 50 ms. */
  async function until(isSo: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + 10_000;
    while (!(await isSo())) {
      if (performance.now() > deadline)
        throw new Error(
          `Not so: ${JSON.stringify({ batches, rows: await rows(), handled: await handled() })}`,
        );
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 50);
        changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
  const untilEmpty = () => until(async () => (await rows()).length === 0);
  /** Makes put-off rows due and wakes the consumer by another row. */
  async function due(wakeUp: number): Promise<void> {
    await sql('UPDATE outbox SET due_at = clock_timestamp() WHERE dead_at IS NULL');
    await append(wakeUp);
  }

  beforeAll(async () => {
    database = await createTestDatabase();
    node = await startNode(database);
    await sql(
      'CREATE TABLE handled (topic text, n int, at bigint GENERATED ALWAYS AS IDENTITY, UNIQUE (topic, n))',
    );
  });
  beforeEach(async () => {
    [batches, after] = [[], () => undefined];
    await sql('DELETE FROM outbox');
    await sql('DELETE FROM handled');
  });
  afterAll(async () => {
    await node.close();
    await database.drop();
  });

  it('hands on what was committed, in order and once, at most 100 at a time', async () => {
    await append(1, 250);
    await untilEmpty();
    expect(await handled()).toEqual(things(1, 250).map(({ n }) => n));
    expect(batches.map(({ numbers }) => numbers.length)).toEqual([100, 100, 50]);
  });

  it('knows nothing of what was rolled back, and runs no statement for nothing', async () => {
    const failing = run(async (tx) => {
      await outbox().append(tx, THINGS, [{ n: 1 }]);
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    await run(async (tx) => {
      const send = jest.spyOn(tx, 'send');
      await outbox().append(tx, THINGS, []);
      expect(send).not.toHaveBeenCalled();
    });
    await append(2);
    await untilEmpty();
    expect(await handled()).toEqual([2]);
  });

  it('writes facts of several topics in one statement, with COMMIT', async () => {
    await run((tx) => {
      const last = jest.spyOn(tx, 'sendWithCommit');
      outbox().appendWithCommit(tx, [
        { topic: THINGS, payload: { n: 1 } },
        { topic: OTHERS, payload: { n: 2 } },
      ]);
      expect(last.mock.calls).toEqual([[expect.objectContaining({ name: 'outbox-insert' })]]);
      return Promise.resolve();
    });
    await untilEmpty();
    expect(batches.map(({ topic, numbers }) => [topic, numbers]).sort()).toEqual([
      [OTHERS, [2]],
      [THINGS, [1]],
    ]);
  });

  it('does not handle in the name of the request that appended', async () => {
    await runWithRequestId('req-1', () => append(1));
    await untilEmpty();
    expect(batches).toEqual([{ topic: THINGS, numbers: [1], requestId: undefined }]);
  });

  it('drains at its start what a crash left behind', async () => {
    // Stopped, it is like a process that died right after its COMMIT.
    await outbox().stop();
    await append(1, 3);
    expect(await rows()).toHaveLength(3);
    await node.close();
    node = await startNode(database);
    await untilEmpty();
    expect(await handled()).toEqual([1, 2, 3]);
  });

  it('leaves rows without a consumer alone', async () => {
    const nobody = 'test.nobody' as OutboxTopic<Thing>;
    await append(1, 1, nobody);
    await append(2);
    await until(async () => (await handled()).includes(2));
    expect((await rows()).map(({ n }) => n)).toEqual([1]);
    expect(await outbox().waiting()).toBe(1);
  });

  it('a topic that is slow does not hold up another, and a batch under way ends before the stop does', async () => {
    let release: () => void = () => undefined;
    let begun: () => void = () => undefined;
    const started = new Promise<void>((resolve) => (begun = resolve));
    after = async (_tx, numbers) => {
      if (!numbers.includes(1)) return;
      await new Promise<void>((resolve) => {
        release = resolve;
        begun();
      });
    };
    await append(1);
    await started;
    if (onPostgres()) {
      await append(2, 1, OTHERS);
      await until(() => Promise.resolve(batches.length === 1));
      expect(batches).toMatchObject([{ topic: OTHERS, numbers: [2] }]);
    }
    let stopped = false;
    const stopping = outbox()
      .stop()
      .then(() => (stopped = true));
    if (onPostgres()) {
      await append(3);
      expect((await rows()).map(({ n }) => n)).toEqual([1, 3]);
    }
    expect(stopped).toBe(false);
    release();
    await stopping;
    expect(await handled()).toEqual(onPostgres() ? [1, 2] : [1]);
    expect((await rows()).map(({ n }) => n)).toEqual(onPostgres() ? [3] : []);
    await node.close();
    node = await startNode(database);
    await untilEmpty();
  });

  describe('a row its consumer fails on', () => {
    const poison = (_tx: Transaction, numbers: number[]) => {
      if (numbers.includes(42)) throw new Error('cannot handle this');
    };

    it('is put off alone, and the others go through in order; nothing it wrote stays', async () => {
      after = poison;
      await append(1, 100);
      await until(async () => (await rows()).every(({ attempts }) => attempts === 1));
      expect(await rows()).toMatchObject([{ n: 42, attempts: 1, dead: false }]);
      const others = things(1, 100)
        .map(({ n }) => n)
        .filter((n) => n !== 42);
      expect(await handled()).toEqual(others);
      after = () => undefined;
      await due(101);
      await untilEmpty();
      expect(await handled()).toEqual([...others, 42, 101]);
    });

    it('waits longer each time, is dead after 10, and alive again by hand', async () => {
      after = poison;
      await append(42);
      for (let attempt = 1; attempt <= 10; attempt++) {
        await until(async () => (await rows()).some((row) => row.n === 42 && row.attempts === attempt));
        const [row] = await rows();
        expect(row?.dead).toBe(attempt === 10);
        expect(row!.wait).toBeLessThanOrEqual(2 ** (attempt - 1));
        // Some of it may have passed by now.
        expect(row!.wait).toBeGreaterThan(2 ** (attempt - 1) - 4);
        if (attempt < 10) await due(100 + attempt);
      }
      const dead = await outbox().dead();
      expect(dead).toMatchObject([
        { topic: THINGS, payload: { n: 42 }, attempts: 10, error: 'Error cannot handle this' },
      ]);
      expect(await outbox().dead(dead[0]!.id)).toEqual([]);
      expect(await node.get(Metrics).text()).toContain(`parley_outbox_dead_total{topic="${THINGS}"} 1`);
      await until(async () => (await outbox().waiting()) === 0);

      after = () => undefined;
      expect(await run((tx) => outbox().retry(tx, dead[0]!.id))).toBe(true);
      await untilEmpty();
      expect(await handled()).toContain(42);
      expect(await run((tx) => outbox().retry(tx, dead[0]!.id))).toBe(false);
    });

    it('keeps the data out of the reason', async () => {
      after = (tx) => tx.manager.query(`SELECT 'secret words'::int`);
      await append(1);
      await until(async () => (await rows()).every(({ attempts }) => attempts === 1));
      const [row] = await sql<{ error: string }>('SELECT error FROM outbox');
      expect(row?.error).toBe('QueryFailedError 22P02');
    });
  });

  it("the database's own troubles do not count as attempts", async () => {
    let times = 0;
    after = () => {
      if (++times === 1) throw new AppError('UNAVAILABLE', 'Try again');
      if (times === 2)
        throw Object.assign(new Error('deadlock detected'), { code: '40P01', severity: 'ERROR' });
    };
    await append(1);
    // Tried again when it is woken, and otherwise at the next look.
    await until(() => Promise.resolve(times === 1));
    await append(2);
    await until(() => Promise.resolve(times >= 2));
    expect((await rows()).map(({ attempts }) => attempts)).toEqual([0, 0]);
    await untilEmpty();
    expect(await handled()).toEqual([1, 2]);
  });

  (onPostgres() ? it : it.skip)('with two nodes each row is handled exactly once', async () => {
    const second = await startNode(database);
    try {
      const unitOfWork = [node.get(UnitOfWork), second.get(UnitOfWork)];
      const boxes = [node.get(Outbox), second.get(Outbox)];
      // A consumer that fails now and then, so that nodes meet over the halves as well.
      let turn = 0;
      after = () => {
        if (++turn % 7 === 0) throw new AppError('UNAVAILABLE', 'Try again');
      };
      await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          unitOfWork[index % 2]!.run((tx) => boxes[index % 2]!.append(tx, THINGS, things(index * 20, 20))),
        ),
      );
      after = () => undefined;
      await untilEmpty();
      // UNIQUE (topic, n) would have refused a second time.
      expect((await handled()).sort((a, b) => a - b)).toEqual(things(0, 2000).map(({ n }) => n));
    } finally {
      await second.close();
    }
  });

  (onPostgres() ? it : it.skip)('what another node has left is found without being told', async () => {
    await sql(`INSERT INTO outbox (topic, payload) VALUES ($1, '{"n": 7}')`, [THINGS]);
    await untilEmpty();
    expect(await handled()).toEqual([7]);
    expect(await node.get(Metrics).text()).toContain(`parley_outbox_lag_seconds{topic="${THINGS}"}`);
  });
});

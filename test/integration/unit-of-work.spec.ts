import { DataSource } from 'typeorm';
import { databaseOptions } from '../../src/platform/database/database.options.js';
import { EmbeddedStorage } from '../../src/platform/database/embedded-storage.js';
import { hasForgotten } from '../../src/platform/database/forgotten-statement.js';
import type { Statement } from '../../src/platform/database/pipelined-transaction.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { DomainEvents } from '../../src/platform/events/domain-events.js';
import { DatabaseProxy } from '../harness/database-proxy.js';
import { configOn, createEmptyDatabase, type TestDatabase } from '../harness/database.js';
import { onPostgres } from '../harness/writer-fixture.js';

class ThingHappened {
  constructor(readonly id: number) {}
}

describe('UnitOfWork', () => {
  let database: TestDatabase;
  let storage: EmbeddedStorage | undefined;
  let dataSource: DataSource;
  let unitOfWork: UnitOfWork;
  const events = new DomainEvents();
  const heard: number[] = [];
  const count = async () =>
    (await dataSource.query<{ n: number }[]>('SELECT count(*) AS n FROM things'))[0]?.n;

  beforeAll(async () => {
    database = await createEmptyDatabase();
    const config = configOn(database);
    if (config.database.kind === 'embedded') storage = await EmbeddedStorage.open(config.dataDir);
    dataSource = await new DataSource(databaseOptions(config, storage?.database)).initialize();
    await dataSource.query('CREATE TABLE things (id int PRIMARY KEY)');
    events.on(ThingHappened, ({ id }) => void heard.push(id));
    unitOfWork = new UnitOfWork(dataSource, events);
  });
  afterAll(async () => {
    await dataSource.destroy();
    await storage?.close();
    await database.drop();
  });
  beforeEach(async () => {
    heard.length = 0;
    await dataSource.query('DELETE FROM things');
  });

  it('hands out events after COMMIT, in order', async () => {
    const result = await unitOfWork.run(async (tx) => {
      await tx.manager.query('INSERT INTO things VALUES (1)');
      tx.raise(new ThingHappened(1));
      tx.raise(new ThingHappened(2));
      expect(heard).toEqual([]);
      return 'done';
    });
    expect([result, heard, await count()]).toEqual(['done', [1, 2], 1]);
  });

  it('forgets writes and events after a throw', async () => {
    const failing = unitOfWork.run(async (tx) => {
      await tx.manager.query('INSERT INTO things VALUES (1)');
      tx.raise(new ThingHappened(1));
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect([heard, await count()]).toEqual([[], 0]);
  });

  it('reports an error of the database and gives back a usable connection', async () => {
    const failing = unitOfWork.run(async (tx) => {
      await tx.manager.query('INSERT INTO things VALUES (1), (1)');
    });
    await expect(failing).rejects.toMatchObject({ driverError: { code: '23505' } });
    expect(await count()).toBe(0);
  });

  it('throws at once when a query goes around it, instead of waiting for its own connection', async () => {
    const failing = unitOfWork.run(async () => {
      await dataSource.query('SELECT 1');
    });
    await expect(failing).rejects.toThrow('use tx.manager');
    expect(await count()).toBe(0);
  });

  it('lets many units wait for their turn', async () => {
    await Promise.all(
      Array.from({ length: 50 }, (_, id) =>
        unitOfWork.run((tx) => tx.manager.query('INSERT INTO things VALUES ($1)', [id])),
      ),
    );
    expect(await count()).toBe(50);
  });

  it('closes the connection of a unit that lost it', async () => {
    const failing = unitOfWork.run(async (tx) => {
      await tx.manager.query('INSERT INTO things VALUES (1)');
      if (storage) throw new Error('no second session to end this one from');
      const [row] = await tx.manager.query<{ pid: number }[]>('SELECT pg_backend_pid() AS pid');
      await endSession(row?.pid);
      await tx.manager.query('SELECT 1');
    });
    await expect(failing).rejects.toThrow();
    expect(await count()).toBe(0);
  });

  /**
   * BEGIN leaves with the first statement and COMMIT with the last ones, so most of a unit is sent before anything of it
   * is answered. What was lost on the way must still be noticed, and nothing may be half there.
   */
  describe('that sends several statements at once', () => {
    const insert = (id: number): Statement => ({
      name: 'things-insert',
      text: 'INSERT INTO things VALUES ($1)',
      values: [id],
    });
    const all: Statement<{ id: number }> = {
      name: 'things-all',
      text: 'SELECT id FROM things ORDER BY id',
      values: [],
    };

    it('answers each, in order, and nothing for one that is left out', async () => {
      const answers = await unitOfWork.run((tx) => tx.send(insert(1), all, undefined, insert(2), all));
      expect(answers).toEqual([[], [{ id: 1 }], [], [], [{ id: 1 }, { id: 2 }]]);
      expect(await count()).toBe(2);
    });

    it('passes on lists as they are, whatever is in them', async () => {
      const lists = [
        ['text[]', ['a', '', ' ', 'NULL', null, '{}', ',', '"', '\\', '\n', "'", 'ünï', '😀', '\u2028']],
        ['text[]', ['plain', null, 'a,b', '{c}', 'NULL']],
        ['int[]', [1, -2, null]],
        ['bool[]', [true, false, null]],
        ['timestamptz[]', [new Date(0), null]],
        ['text[]', []],
        [
          'int[]',
          [
            [1, 2],
            [3, 4],
          ],
        ],
      ] as const;
      const answers = await unitOfWork.run((tx) =>
        tx.send(
          ...lists.map(([type, list]): Statement<{ list: unknown }> => ({
            text: `SELECT $1::${type} AS list`,
            values: [list],
          })),
        ),
      );
      expect(answers.map(([row]) => row?.list)).toEqual(lists.map(([, list]) => list));
    });

    it('fails with the first one that fails, not with those it spoils', async () => {
      const failing = unitOfWork.run((tx) =>
        tx.send(
          insert(1),
          insert(1),
          { name: 'things-nowhere', text: 'SELECT FROM nowhere', values: [] },
          insert(2),
        ),
      );
      await expect(failing).rejects.toMatchObject({ code: '23505' });
      expect(await count()).toBe(0);
      // The names the failed unit has used are still good for this connection.
      await unitOfWork.run((tx) => tx.send(insert(3), all));
      expect(await count()).toBe(1);
    });

    it('is not committed when what leaves with COMMIT fails', async () => {
      const failing = unitOfWork.run((tx) => {
        tx.raise(new ThingHappened(1));
        tx.sendWithCommit(insert(1), insert(1), insert(2));
        return Promise.resolve();
      });
      await expect(failing).rejects.toMatchObject({ code: '23505' });
      expect([heard, await count()]).toEqual([[], 0]);
    });

    it('is not committed when only COMMIT finds the fault', async () => {
      await dataSource.query('CREATE TABLE parts (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)');
      const failing = unitOfWork.run((tx) => {
        tx.raise(new ThingHappened(1));
        tx.sendWithCommit(insert(1), {
          name: 'parts-insert',
          text: 'INSERT INTO parts VALUES (1), (1)',
          values: [],
        });
        return Promise.resolve();
      });
      await expect(failing).rejects.toMatchObject({ code: '23505' });
      expect([heard, await count()]).toEqual([[], 0]);
    });

    /** Postgres answers the COMMIT of a spoilt transaction with ROLLBACK and no error: the unit counted as done. */
    it('is not done when somebody has caught the error that spoilt it', async () => {
      const failing = unitOfWork.run(async (tx) => {
        await tx.manager.query('INSERT INTO things VALUES (1)');
        await tx.manager.query('INSERT INTO things VALUES (1)').catch(() => undefined);
        tx.raise(new ThingHappened(1));
        // What tells the transaction's id would fail first.
        tx.xid = '3';
        return 'done';
      });
      await expect(failing).rejects.toThrow('Nothing was committed');
      expect([heard, await count()]).toEqual([[], 0]);
    });

    /** COMMIT was on its way when the driver refused the statement before it: the rest was committed without it. */
    it('is not committed without a statement that the driver refuses', async () => {
      const unfit: Statement[] = [
        { ...insert(2), text: 'INSERT INTO things VALUES ($1 + 1)' },
        { name: 'things-unfit', text: 'INSERT INTO things VALUES ($1)', values: [{ toPostgres: refuse }] },
      ];
      for (const statement of unfit) {
        const failing = unitOfWork.run((tx) => {
          tx.raise(new ThingHappened(1));
          tx.sendWithCommit(insert(1), statement);
          return Promise.resolve();
        });
        await expect(failing).rejects.toThrow(/must be unique|refused/);
        expect([heard, await count()]).toEqual([[], 0]);
      }
    });

    it('keeps what was before a savepoint that is rolled back', async () => {
      await unitOfWork.run(async (tx) => {
        await tx.send(insert(1));
        const inner = tx.manager.transaction(async (manager) => {
          await manager.query('INSERT INTO things VALUES (2), (2)');
        });
        await expect(inner).rejects.toMatchObject({ driverError: { code: '23505' } });
        tx.sendWithCommit(insert(3));
      });
      expect(await unitOfWork.run((tx) => tx.send(all))).toEqual([[{ id: 1 }, { id: 3 }]]);
    });

    it('or none at all, ends well', async () => {
      const done = await unitOfWork.run((tx) => {
        tx.raise(new ThingHappened(1));
        return Promise.resolve('done');
      });
      expect([done, heard]).toEqual(['done', [1]]);
      await expect(unitOfWork.run(() => Promise.reject(new Error('changed my mind')))).rejects.toThrow(
        'changed my mind',
      );
    });
  });

  /**
   * The driver believes for ever that a connection knows what it has prepared. After a migration that changes a type, or
   * behind a pooler that gives us another session, each use of that name would fail.
   */
  (onPostgres() ? it : it.skip).each([
    ['cannot use', 'ALTER TABLE changing ALTER COLUMN id TYPE bigint'],
    ['does not know', 'DEALLOCATE ALL'],
  ])('replaces a connection that %s what it has prepared', async (_, cause) => {
    const read: Statement<{ id: number }> = { name: 'changing', text: 'SELECT id FROM changing', values: [] };
    const one = await new DataSource({ ...databaseOptions(configOn(database)), poolSize: 1 }).initialize();
    try {
      const units = new UnitOfWork(one, events);
      await one.query('CREATE TABLE changing AS SELECT 1 AS id');
      expect(await units.run((tx) => tx.send(read))).toEqual([[{ id: 1 }]]);
      await one.query(cause);
      const failure: unknown = await units.run((tx) => tx.send(read)).catch((error: unknown) => error);
      expect(hasForgotten(failure)).toBe(true);
      expect(await units.run((tx) => tx.send(read))).toEqual([[{ id: 1 }]]);
    } finally {
      await one.query('DROP TABLE changing');
      await one.destroy();
    }
  });

  /**
   * Nothing limited how long we waited for an answer: between us and a Postgres that could not be reached any more every
   * statement hung until TCP gave up, after a quarter of an hour.
   */
  (onPostgres() ? describe : describe.skip)('with an answer that does not come,', () => {
    let proxy: DatabaseProxy;
    let impatient: DataSource;
    beforeAll(async () => {
      proxy = await DatabaseProxy.before(database.databaseUrl!);
      const options = databaseOptions(configOn({ ...database, databaseUrl: proxy.url }));
      const extra = { ...(options.extra as object), query_timeout: 300 };
      impatient = await new DataSource({ ...options, poolSize: 1, extra }).initialize();
    });
    afterAll(async () => {
      await impatient.destroy();
      await proxy.stop();
    });

    it('fails, and gives the late answer to nobody else', async () => {
      await expect(impatient.query(`SELECT 'late' AS word, pg_sleep(0.6)`)).rejects.toThrow(
        'Query read timeout',
      );
      const words = Array.from({ length: 8 }, (_, index) =>
        impatient.query<{ word: number }[]>('SELECT $1::int AS word, pg_sleep(0.15)', [index]),
      );
      expect((await Promise.all(words)).map(([row]) => row?.word)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    });

    it('in the middle of a unit of work, takes nothing more over that connection', async () => {
      const failing = new UnitOfWork(impatient, events).run(async (tx) => {
        await tx.manager.query('INSERT INTO things VALUES (1)');
        tx.raise(new ThingHappened(1));
        await tx.manager.query('SELECT pg_sleep(0.6)');
      });
      await expect(failing).rejects.toThrow('Query read timeout');
      expect(heard).toEqual([]);
      const [row] = await impatient.query<{ n: number }[]>('SELECT count(*) AS n FROM things');
      expect(row?.n).toBe(0);
    });

    it('in the middle of what was sent at once, fails all of it', async () => {
      const failing = new UnitOfWork(impatient, events).run(async (tx) => {
        tx.raise(new ThingHappened(1));
        await tx.send(
          { name: 'late-insert', text: 'INSERT INTO things VALUES (1)', values: [] },
          { name: 'late', text: 'SELECT pg_sleep(0.6)', values: [] },
          { name: 'late-insert-again', text: 'INSERT INTO things VALUES (2)', values: [] },
        );
      });
      await expect(failing).rejects.toThrow('Query read timeout');
      expect([heard, await count()]).toEqual([[], 0]);
    });

    it('to all that a unit has sent, learns that it happened', async () => {
      const hit = proxy.breakNextCommit('mute-answer', /all-there-is/);
      const done = new UnitOfWork(impatient, events).run((tx) => {
        tx.sendWithCommit({ name: 'all-there-is', text: 'INSERT INTO things VALUES (3)', values: [] });
        tx.raise(new ThingHappened(1));
        return Promise.resolve('done');
      });
      await hit;
      expect([await done, heard, await count()]).toEqual(['done', [1], 1]);
    });

    it('to COMMIT, learns that it happened', async () => {
      const hit = proxy.breakNextCommit('mute-answer', /INSERT INTO things/);
      const done = new UnitOfWork(impatient, events).run(async (tx) => {
        await tx.manager.query('INSERT INTO things VALUES (1)');
        tx.raise(new ThingHappened(1));
        return 'done';
      });
      await hit;
      expect([await done, heard, await count()]).toEqual(['done', [1], 1]);
    });
  });

  function refuse(): never {
    throw new Error('refused');
  }

  /** From another connection, as an operator or a failover would. */
  async function endSession(pid: number | undefined): Promise<void> {
    const other = await new DataSource(databaseOptions(configOn(database))).initialize();
    await other.query('SELECT pg_terminate_backend($1)', [pid]);
    await other.destroy();
  }
});

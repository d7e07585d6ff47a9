import { DataSource } from 'typeorm';
import { databaseOptions } from '../../src/platform/database/database.options.js';
import { EmbeddedStorage } from '../../src/platform/database/embedded-storage.js';
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

    it('to COMMIT, learns that it happened', async () => {
      const hit = proxy.breakNextCommit('mute-answer', 'INSERT INTO things');
      const done = new UnitOfWork(impatient, events).run(async (tx) => {
        await tx.manager.query('INSERT INTO things VALUES (1)');
        tx.raise(new ThingHappened(1));
        return 'done';
      });
      await hit;
      expect([await done, heard, await count()]).toEqual(['done', [1], 1]);
    });
  });

  /** From another connection, as an operator or a failover would. */
  async function endSession(pid: number | undefined): Promise<void> {
    const other = await new DataSource(databaseOptions(configOn(database))).initialize();
    await other.query('SELECT pg_terminate_backend($1)', [pid]);
    await other.destroy();
  }
});

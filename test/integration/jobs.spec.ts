import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { ConfigModule } from '../../src/platform/config/config.module.js';
import { DatabaseModule } from '../../src/platform/database/database.module.js';
import { EMBEDDED_STORAGE, type EmbeddedStorage } from '../../src/platform/database/embedded-storage.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { EventsModule } from '../../src/platform/events/events.module.js';
import { JobRunner } from '../../src/platform/jobs/job-runner.js';
import { JobsModule } from '../../src/platform/jobs/jobs.module.js';
import { Jobs, type HandlerOptions } from '../../src/platform/jobs/jobs.js';
import { PermanentFailure } from '../../src/platform/jobs/permanent-failure.js';
import { createLogger } from '../../src/platform/logging/logger.js';
import { NestLogger } from '../../src/platform/logging/nest-logger.js';
import { Metrics } from '../../src/platform/metrics/metrics.js';
import { MetricsModule } from '../../src/platform/metrics/metrics.module.js';
import { DatabaseProxy } from '../harness/database-proxy.js';
import { configOn, createTestDatabase, type TestDatabase } from '../harness/database.js';
import { onPostgres } from '../harness/writer-fixture.js';

jest.setTimeout(60_000);

interface Data {
  name: string;
}
type Handler = (data: Data, signal: AbortSignal) => Promise<void>;

const QUEUE = 'tests';
const ONCE: HandlerOptions = { retries: 0, firstRetrySeconds: 0 };

/** What happened, in order, and a way to wait for it. */
class Happenings<T> {
  readonly all: T[] = [];
  private waiting: { count: number; resolve: (all: T[]) => void }[] = [];

  add(one: T): void {
    this.all.push(one);
    for (const { resolve } of this.waiting.filter(({ count }) => count <= this.all.length)) resolve(this.all);
  }

  reach(count: number): Promise<T[]> {
    if (this.all.length >= count) return Promise.resolve(this.all);
    return new Promise((resolve) => this.waiting.push({ count, resolve }));
  }
}

class Gate {
  open: () => void = () => undefined;
  readonly opened = new Promise<void>((resolve) => (this.open = resolve));
}

@Module({})
class Platform {}

/** A server with nothing but jobs, of which the tests use one queue. */
class Instance {
  /** Attempts whose end is written: `ok`, `retry`, `dead`. */
  readonly ended = new Happenings<string>();
  private constructor(readonly app: INestApplicationContext) {
    const metrics = app.get(Metrics);
    const count = metrics.jobFinished.bind(metrics);
    metrics.jobFinished = (queue, result) => {
      count(queue, result);
      this.ended.add(result);
    };
  }

  static async start(database: TestDatabase, log: string[], options: HandlerOptions, handler: Handler) {
    const config = configOn(database, { LOG_LEVEL: 'warn', LOG_FORMAT: 'json' });
    const feature = {
      module: class Feature {},
      providers: [
        {
          provide: 'feature',
          inject: [Jobs],
          useFactory: (jobs: Jobs) => ({
            onModuleInit: () => {
              // More than one: instances that start together could get in each other's way.
              for (const queue of [QUEUE, 'second', 'third']) jobs.handle(queue, options, handler);
            },
          }),
        },
      ],
    };
    const platform = [ConfigModule.with(config), EventsModule, MetricsModule, DatabaseModule, JobsModule];
    const app = await NestFactory.createApplicationContext(
      { module: Platform, imports: [...platform, feature] },
      {
        logger: new NestLogger(createLogger(config, { write: (line) => void log.push(line) })),
        abortOnError: false,
      },
    );
    return new Instance(app);
  }

  get jobs(): Jobs {
    return this.app.get(Jobs);
  }

  get units(): UnitOfWork {
    return this.app.get(UnitOfWork);
  }

  add(name: string, when: { key?: string; afterSeconds?: number } = {}): Promise<void> {
    return this.units.run((tx) => this.jobs.add(tx, QUEUE, { name }, when));
  }

  dead() {
    return this.jobs.dead(QUEUE, undefined, 10);
  }

  /** As near to kill -9 as one process allows: from one moment to the next it reaches the database no more. */
  async crash(): Promise<void> {
    await this.app.get(DataSource).destroy();
    await this.app.get<EmbeddedStorage | null>(EMBEDDED_STORAGE)?.close();
  }
}

describe('Jobs', () => {
  let database: TestDatabase;
  let instances: Instance[];
  let log: string[];
  let done: Happenings<string>;

  beforeEach(async () => {
    database = await createTestDatabase();
    instances = [];
    log = [];
    done = new Happenings();
  });
  afterEach(async () => {
    for (const { app } of instances) {
      await app.get(JobRunner).drain(0);
      await app.close();
    }
    await database.drop();
  });

  async function start(options: HandlerOptions, handler?: Handler): Promise<Instance> {
    const write: Handler = ({ name }) => {
      done.add(name);
      return Promise.resolve();
    };
    const instance = await Instance.start(database, log, options, handler ?? write);
    instances.push(instance);
    return instance;
  }

  it('exist exactly when the transaction was committed, and are done once', async () => {
    const one = await start(ONCE);
    const failing = one.units.run(async (tx) => {
      await one.jobs.add(tx, QUEUE, { name: 'rolled back' });
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    await one.add('committed');
    await one.jobs.add(undefined, QUEUE, { name: 'alone' });
    await one.add('last');
    expect(await done.reach(3)).toEqual(['committed', 'alone', 'last']);
    expect(await one.ended.reach(3)).toEqual(['ok', 'ok', 'ok']);
    expect((await one.jobs.waiting()).size).toBe(0);
  });

  it('begin within a second or so, also those that another instance or an earlier moment left', async () => {
    const one = await start(ONCE);
    const begun = performance.now();
    await one.add('later', { afterSeconds: 1 });
    expect(await one.jobs.waiting()).toEqual(new Map([[QUEUE, 1]]));
    await done.reach(1);
    const took = performance.now() - begun;
    expect(took).toBeGreaterThan(999);
    expect(took).toBeLessThan(4000);
  });

  it('are tried again after a while, then kept as dead, and done after all when somebody asks for it', async () => {
    const attempts = new Happenings<number>();
    let works = false;
    const one = await start({ retries: 1, firstRetrySeconds: 1 }, ({ name }) => {
      attempts.add(performance.now());
      return works
        ? Promise.resolve()
        : Promise.reject(new Error(`no luck${'!'.repeat(1000)}`, { cause: name }));
    });
    await one.add('a secret');
    expect(await one.ended.reach(2)).toEqual(['retry', 'dead']);
    const [first = 0, second = 0] = attempts.all;
    expect(second - first).toBeGreaterThan(990);
    const [job] = await one.dead();
    expect(job).toMatchObject({ queue: QUEUE, data: { name: 'a secret' }, attempts: 2 });
    expect(job?.failedAt).toBeInstanceOf(Date);
    expect(job?.error).toMatch(/^Error: no luck!+$/);
    expect(job?.error).toHaveLength(500);
    expect(log.join('')).toContain(job?.id);
    expect(log.join('')).not.toContain('a secret');

    works = true;
    expect(await one.jobs.retry(undefined, job?.id ?? '')).toBe(true);
    expect(await one.jobs.retry(undefined, job?.id ?? '')).toBe(false);
    expect(await one.ended.reach(3)).toEqual(['retry', 'dead', 'ok']);
    expect(await one.dead()).toEqual([]);
    expect(await one.app.get(Metrics).text()).toContain('parley_jobs_total{queue="tests",result="dead"} 1');
  });

  it('are dead at once after a PermanentFailure, and listed page by page', async () => {
    const one = await start({ retries: 5, firstRetrySeconds: 0 }, ({ name }) => {
      done.add(name);
      throw new PermanentFailure('the address is gone');
    });
    for (const name of ['1', '2', '3']) await one.add(name);
    expect(await one.ended.reach(3)).toEqual(['dead', 'dead', 'dead']);
    expect(done.all).toEqual(['1', '2', '3']);
    const page = await one.jobs.dead(undefined, undefined, 2);
    expect(page.map(({ data, attempts }) => [data, attempts])).toEqual([
      [{ name: '3' }, 1],
      [{ name: '2' }, 1],
    ]);
    const rest = await one.jobs.dead(QUEUE, page[1]?.id, 2);
    expect(rest).toMatchObject([{ data: { name: '1' }, error: 'PermanentFailure: the address is gone' }]);
    expect(await one.jobs.dead('another queue', undefined, 2)).toEqual([]);
  });

  it('fail when they take too long, and their handler is told', async () => {
    const one = await start({ ...ONCE, timeoutSeconds: 1 }, (_, signal) => {
      signal.addEventListener('abort', () => done.add('aborted'));
      return new Promise(() => undefined);
    });
    await one.add('endless');
    expect(await one.ended.reach(1)).toEqual(['dead']);
    expect(done.all).toEqual(['aborted']);
    expect(await one.dead()).toMatchObject([{ error: 'Error: It took longer than 1 s' }]);
  });

  it('of the same key wait only once; those without a key are never the same', async () => {
    const gate = new Gate();
    const one = await start(ONCE, async ({ name }) => {
      done.add(name);
      await gate.opened;
    });
    await one.add('running', { key: 'k' });
    await done.reach(1);
    for (const name of ['first', 'second', 'third']) await one.add(name, { key: 'k' });
    await one.add('another key', { key: 'l' });
    await one.add('none');
    await one.add('none');
    expect(await one.jobs.waiting()).toEqual(new Map([[QUEUE, 4]]));
    gate.open();
    expect(await done.reach(5)).toEqual(['running', 'first', 'another key', 'none', 'none']);
  });

  it('are only added to queues that have a handler, and handlers come before the start', async () => {
    const one = await start(ONCE);
    await expect(one.jobs.add(undefined, 'unknown', {})).rejects.toThrow('has no handler');
    expect(() => one.jobs.handle('late', ONCE, () => Promise.resolve())).toThrow('onModuleInit');
    const outside = one.units.run(() => one.jobs.add(undefined, QUEUE, { name: 'around' }));
    await expect(outside).rejects.toThrow('use tx.manager');
  });

  it('under way are waited for at the end', async () => {
    const gate = new Gate();
    const one = await start(ONCE, async ({ name }) => {
      done.add(name);
      await gate.opened;
    });
    await one.add('under way');
    await done.reach(1);
    const drained = one.jobs.drain();
    await one.add('for the next start');
    gate.open();
    await drained;
    expect(one.ended.all).toEqual(['ok']);
    expect(await one.jobs.waiting()).toEqual(new Map([[QUEUE, 1]]));
  });

  it('that do not end in time are given back, and the attempt does not count', async () => {
    const one = await start(ONCE, ({ name }, signal) => {
      done.add(name);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
    });
    await one.add('endless');
    await done.reach(1);
    await one.app.get(JobRunner).drain(0);
    await one.app.close();
    expect(one.ended.all).toEqual([]);
    const next = await start(ONCE);
    expect(await next.ended.reach(1)).toEqual(['ok']);
    expect(done.all).toEqual(['endless', 'endless']);
  });

  it('of an instance that crashed are taken over', async () => {
    const crashing = await start({ ...ONCE, retries: 1, timeoutSeconds: 1 }, ({ name }) => {
      done.add(`${name}, begun`);
      return new Promise(() => undefined);
    });
    await crashing.add('job');
    await done.reach(1);
    await crashing.crash();
    const next = await start({ ...ONCE, retries: 1, timeoutSeconds: 1 });
    expect(await next.ended.reach(1)).toEqual(['ok']);
    expect(done.all).toEqual(['job, begun', 'job']);
  });

  (onPostgres() ? describe : describe.skip)('on a server', () => {
    it('are shared by instances that started together, and each is done once', async () => {
      const taking = new Set<number>();
      const all = new Gate();
      const handler =
        (instance: number): Handler =>
        async ({ name }) => {
          taking.add(instance);
          if (taking.size === 3) all.open();
          // Nobody goes on before everybody has one.
          await all.opened;
          done.add(name);
        };
      const [one] = (await Promise.all(
        [1, 2, 3].map((instance) => start({ ...ONCE, concurrency: 2 }, handler(instance))),
      )) as [Instance, Instance, Instance];
      const names = Array.from({ length: 40 }, (_, index) => String(index));
      await Promise.all(names.map((name) => one.add(name)));
      await done.reach(40);
      await Promise.all(instances.map(({ jobs }) => jobs.drain()));
      expect([...done.all].sort()).toEqual([...names].sort());
      expect(instances.flatMap(({ ended }) => ended.all)).toHaveLength(40);
    });

    /** Else the job could begin in between, find nothing to do, and nobody would come back for what is committed then. */
    it('of a key begin after every transaction that wanted one', async () => {
      const running = new Gate();
      const one = await start(ONCE, async ({ name }) => {
        done.add(name);
        if (name === 'running') await running.opened;
      });
      await one.add('running');
      await done.reach(1);
      await one.add('waiting', { key: 'k' });
      const held = new Gate();
      const commit = new Gate();
      const unit = one.units.run(async (tx) => {
        await one.jobs.add(tx, QUEUE, { name: 'same' }, { key: 'k' });
        held.open();
        await commit.opened;
      });
      await held.opened;
      running.open();
      await one.add('after it');
      expect(await done.reach(2)).toEqual(['running', 'after it']);
      commit.open();
      await unit;
      expect(await done.reach(3)).toEqual(['running', 'after it', 'waiting']);
    });

    it('go on when the database was away, and what was under way is not done twice', async () => {
      const proxy = await DatabaseProxy.before(database.databaseUrl!);
      const gate = new Gate();
      const handler: Handler = async ({ name }) => {
        done.add(name);
        await gate.opened;
      };
      const one = await Instance.start({ ...database, databaseUrl: proxy.url }, log, ONCE, handler);
      instances.push(one);
      await one.add('under way');
      await done.reach(1);
      await proxy.stop();
      gate.open();
      await expect(one.add('not now')).rejects.toThrow();
      await proxy.start();
      expect(await one.ended.reach(1)).toEqual(['ok']);
      await one.add('again');
      expect(await one.ended.reach(2)).toEqual(['ok', 'ok']);
      expect(done.all).toEqual(['under way', 'again']);
      await one.app.get(JobRunner).drain(0);
      await one.app.close();
      instances.pop();
      await proxy.stop();
    });
  });
});

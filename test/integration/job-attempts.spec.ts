import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { ConfigModule } from '../../src/platform/config/config.module.js';
import { DatabaseModule } from '../../src/platform/database/database.module.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { EventsModule } from '../../src/platform/events/events.module.js';
import { JobQueuesRepository } from '../../src/platform/jobs/job-queues.repository.js';
import { JobRunner } from '../../src/platform/jobs/job-runner.js';
import { JobsRepository, type TakenJob } from '../../src/platform/jobs/jobs.repository.js';
import { Metrics } from '../../src/platform/metrics/metrics.js';
import { MetricsModule } from '../../src/platform/metrics/metrics.module.js';
import { configOn, createTestDatabase, type TestDatabase } from '../harness/database.js';

const QUEUE = 'tests';
const LIMITS = { retries: 1, firstRetrySeconds: 0, timeoutSeconds: 60 };

@Module({})
class Platform {}

class Gate {
  open: () => void = () => undefined;
  readonly opened = new Promise<void>((resolve) => (this.open = resolve));
}

interface Row {
  state: string;
  data: object;
  seconds: number;
}

/** What becomes of a job, statement by statement; who calls them when is the story of `jobs.spec.ts`. */
describe('Attempts at jobs', () => {
  let database: TestDatabase;
  let app: INestApplicationContext;
  let queues: JobQueuesRepository;
  let jobs: JobsRepository;

  beforeEach(async () => {
    database = await createTestDatabase();
    const imports = [ConfigModule.with(configOn(database)), EventsModule, MetricsModule, DatabaseModule];
    app = await NestFactory.createApplicationContext({ module: Platform, imports }, { logger: false });
    queues = new JobQueuesRepository(app.get(DataSource));
    jobs = new JobsRepository(app.get(DataSource));
    await queues.open(new Map([[QUEUE, LIMITS]]));
  });
  afterEach(async () => {
    await app.close();
    await database.drop();
  });

  const sql = <T>(text: string): Promise<T[]> => app.get(DataSource).query<T[]>(text);

  function all(): Promise<Row[]> {
    return sql<Row>(
      `SELECT state, data, round(extract(epoch FROM start_after - now()))::int AS seconds FROM pgboss.job ORDER BY id`,
    );
  }

  async function states(): Promise<string[]> {
    return (await all()).map(({ state }) => state);
  }

  async function taken(): Promise<TakenJob> {
    const [job] = await jobs.take(QUEUE, 1);
    if (!job) throw new Error('There was nothing to take');
    return job;
  }

  function runs(handler: () => Promise<void>): JobRunner {
    const runner = new JobRunner(queues, jobs, app.get(Metrics));
    runner.start(new Map([[QUEUE, { ...LIMITS, concurrency: 1, handler }]]));
    return runner;
  }

  async function hasRunFor(seconds: number): Promise<void> {
    await sql(`UPDATE pgboss.job SET started_on = now() - interval '${String(seconds)} s'`);
  }

  /** An attempt that was so slow that the job was taken once more, by somebody who is at it. */
  async function lateAndHolder(): Promise<[TakenJob, TakenJob]> {
    await jobs.insert(undefined, QUEUE, [{ data: {} }]);
    const late = await taken();
    await hasRunFor(120);
    await queues.expire();
    return [late, await taken()];
  }

  // A process that was paused, or whose database was away, writes the end of an attempt that has expired meanwhile.
  it.each<[string, (late: TakenJob) => Promise<unknown>]>([
    ['failure', (late) => jobs.tryAgain(late, 'late')],
    ['failure for good', (late) => jobs.bury(late, 'late')],
    ['success', (late) => jobs.complete(late)],
    ['return', (late) => jobs.giveBack([late])],
  ])('a late %s leaves the job to the one that has it by now', async (_what, ends) => {
    const [late, holder] = await lateAndHolder();
    expect(await ends(late)).toBeFalsy();
    expect(await states()).toEqual(['active']);
    expect(await jobs.complete(holder)).toBe(true);
    expect(await states()).toEqual(['completed']);
  });

  it('an end that comes too late is not counted', async () => {
    const metrics = app.get(Metrics);
    const finished = jest.spyOn(metrics, 'jobFinished');
    const gate = new Gate();
    const begun = new Gate();
    const runner = runs(() => {
      begun.open();
      return gate.opened;
    });
    await jobs.insert(undefined, QUEUE, [{ data: {} }]);
    runner.wake(QUEUE);
    await begun.opened;
    await hasRunFor(120);
    await queues.expire();
    const holder = await taken();
    const drained = runner.drain();
    gate.open();
    await drained;
    expect(finished).not.toHaveBeenCalled();
    expect(await jobs.complete(holder)).toBe(true);
  });

  // A job that was given back, or a dead one that an administrator has put back, counts its attempts from the same number.
  it('an end of an earlier attempt of the same number does not count either', async () => {
    await jobs.insert(undefined, QUEUE, [{ data: {} }]);
    const first = await taken();
    await jobs.giveBack([first]);
    const second = await taken();
    expect(second.attempt).toBe(first.attempt);
    expect(await jobs.bury(first, 'late')).toBe(false);
    expect(await jobs.bury(second, 'in time')).toBe(true);
    expect(await jobs.retry(undefined, second.id)).toBe(QUEUE);
    const third = await taken();
    expect(third.attempt).toBe(1);
    expect(await jobs.bury(second, 'late')).toBe(false);
    expect(await jobs.complete(third)).toBe(true);
  });

  it('are over for the database a little after they are for the instance, which began to count later', async () => {
    await jobs.insert(undefined, QUEUE, [{ data: {} }]);
    await taken();
    await hasRunFor(LIMITS.timeoutSeconds + 2);
    await queues.expire();
    expect(await states()).toEqual(['active']);
    await hasRunFor(LIMITS.timeoutSeconds + 10);
    await queues.expire();
    expect(await states()).toEqual(['retry']);
  });

  it.each([1, 2, 3, 16])('wait longer each time: the %d. retry', async (retry) => {
    await queues.open(new Map([[QUEUE, { retries: 20, firstRetrySeconds: 30, timeoutSeconds: 60 }]]));
    await jobs.insert(undefined, QUEUE, [{ data: {} }]);
    await sql(`UPDATE pgboss.job SET retry_count = ${String(retry - 1)}`);
    await jobs.tryAgain(await taken(), 'no luck');
    const [job] = await all();
    expect(job?.seconds).toBeGreaterThanOrEqual(30 * 2 ** (retry - 1) - 1);
    expect(job?.seconds).toBeLessThanOrEqual(30 * 2 ** retry);
  });

  // A unit of work that adds a page of pushes holds the only connection of embedded mode meanwhile.
  it('many jobs cost two statements, also when some of them wait already', async () => {
    const page = Array.from({ length: 200 }, (_, n) => ({ data: { n }, key: String(n) }));
    await jobs.insert(undefined, QUEUE, page.slice(100));
    const statements = await app.get(UnitOfWork).run(async (tx) => {
      const query = jest.spyOn(tx.manager.queryRunner!, 'query');
      await jobs.insert(tx, QUEUE, [...page, { data: { n: 'the same key' }, key: '7' }]);
      return query.mock.calls.length;
    });
    expect(statements).toBe(2);
    const added = (await all()).map(({ data }) => (data as { n: number }).n);
    expect([...added].sort((a, b) => a - b)).toEqual(page.map(({ data }) => data.n));
  });

  // Whoever is asked for patience waits that long, even if a newer job of the key was to begin earlier.
  it('postponing moves the job that waits already, and never forward', async () => {
    await jobs.insert(undefined, QUEUE, [{ data: { of: 'newer' }, key: 'k', afterSeconds: 5 }]);
    await jobs.postponeWaiting(QUEUE, 'k', { of: 'postponed' }, 600);
    expect(await all()).toEqual([{ state: 'created', data: { of: 'postponed' }, seconds: 600 }]);
    await jobs.postponeWaiting(QUEUE, 'k', { of: 'again' }, 60);
    await jobs.postponeWaiting(QUEUE, 'l', { of: 'nobody' }, 60);
    expect(await all()).toEqual([{ state: 'created', data: { of: 'again' }, seconds: 600 }]);
  });

  // The time to wait is over while the database is being asked for jobs: nobody would run those, and nobody else could.
  it('jobs that are taken during the end are given back', async () => {
    await jobs.insert(undefined, QUEUE, [{ data: {} }]);
    const take = jobs.take.bind(jobs);
    const asked = new Gate();
    const answer = new Gate();
    jobs.take = async (queue, most) => {
      const found = await take(queue, most);
      asked.open();
      await answer.opened;
      return found;
    };
    const handler = jest.fn(() => Promise.resolve());
    const runner = runs(handler);
    await asked.opened;
    expect(await states()).toEqual(['active']);
    const drained = runner.drain(0);
    setImmediate(answer.open);
    await drained;
    expect(handler).not.toHaveBeenCalled();
    expect(await states()).toEqual(['retry']);
    expect(await take(QUEUE, 1)).toMatchObject([{ attempt: 1 }]);
  });
});

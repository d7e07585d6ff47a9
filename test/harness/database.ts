import { randomBytes } from 'node:crypto';
import { cp, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import pg from 'pg';
import { loadConfig, type Config } from '../../src/platform/config/config.js';
import { databaseOptions } from '../../src/platform/database/database.options.js';
import { EmbeddedStorage } from '../../src/platform/database/embedded-storage.js';
import { migrate } from '../../src/platform/database/migrate.js';
import type { TestRun } from './global-setup.js';

// Template databases are migrated outside any application, with Nest's logger of last resort.
Logger.overrideLogger(['fatal', 'error', 'warn']);

/** A database of one test file: `DATABASE_URL` (absent: embedded) and `DATA_DIR` of an application under test. */
export interface TestDatabase {
  databaseUrl?: string;
  dataDir: string;
  /** After everything that uses it is closed. */
  drop(): Promise<void>;
}

/** A migrated, empty database, copied from a template that the first caller of the run makes. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const run = currentRun();
  return run.serverUrl ? copyOnServer(run, run.serverUrl) : copyDirectory(run);
}

/** Empty, without a schema; for tests of the migrations themselves. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  const run = currentRun();
  const dataDir = await newDataDir(run);
  if (!run.serverUrl) return { dataDir, drop: () => remove(dataDir) };
  return onServer(run.serverUrl, dataDir, (name) => `CREATE DATABASE "${name}"`, run.prefix);
}

/** The configuration of an application on that database. */
export function configOn({ databaseUrl, dataDir }: TestDatabase, more: Record<string, string> = {}): Config {
  return loadConfig({
    DATABASE_URL: databaseUrl,
    DATA_DIR: dataDir,
    JWT_SECRET: 'only-for-tests-only-for-tests-only',
    ...more,
  });
}

function currentRun(): TestRun {
  const value = process.env['PARLEY_TEST_RUN'];
  if (!value) throw new Error('No test database: suites under test/ run with `jest --selectProjects system`');
  return JSON.parse(value) as TestRun;
}

const newDataDir = (run: TestRun): Promise<string> => mkdtemp(join(run.directory, 'data-'));
const remove = (directory: string): Promise<void> => rm(directory, { recursive: true, force: true });

// On a server: CREATE DATABASE ... TEMPLATE.

async function copyOnServer(run: TestRun, serverUrl: string): Promise<TestDatabase> {
  const template = await serverTemplate(run, serverUrl);
  return onServer(
    serverUrl,
    await newDataDir(run),
    (name) => `CREATE DATABASE "${name}" TEMPLATE "${template}"`,
    run.prefix,
  );
}

async function onServer(
  serverUrl: string,
  dataDir: string,
  create: (name: string) => string,
  prefix: string,
): Promise<TestDatabase> {
  const name = `${prefix}_${randomBytes(5).toString('hex')}`;
  await withClient(serverUrl, (client) => client.query(create(name)));
  return {
    databaseUrl: inDatabase(serverUrl, name),
    dataDir,
    drop: async () => {
      await withClient(serverUrl, (client) => client.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`));
      await remove(dataDir);
    },
  };
}

/** Made under another name and renamed when it is complete; the advisory lock lets one worker do it. */
async function serverTemplate({ prefix }: TestRun, serverUrl: string): Promise<string> {
  const template = `${prefix}_template`;
  const draft = `${prefix}_draft`;
  await withClient(serverUrl, async (client) => {
    await client.query('SELECT pg_advisory_lock(hashtext($1))', [template]);
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [template]);
    if (rowCount) return;
    await client.query(`DROP DATABASE IF EXISTS "${draft}"`);
    await client.query(`CREATE DATABASE "${draft}"`);
    await migrate(
      databaseOptions(
        configOn({ databaseUrl: inDatabase(serverUrl, draft), dataDir: '', drop: () => Promise.resolve() }),
      ),
    );
    await client.query(`ALTER DATABASE "${draft}" RENAME TO "${template}"`);
  });
  return template;
}

function inDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

// Embedded: a copy of a directory.

async function copyDirectory(run: TestRun): Promise<TestDatabase> {
  const template = await directoryTemplate(run);
  const dataDir = await newDataDir(run);
  await cp(join(template, 'pgdata'), join(dataDir, 'pgdata'), { recursive: true });
  return { dataDir, drop: () => remove(dataDir) };
}

/** Like `serverTemplate`; the lock is a directory, which only one worker can make. */
async function directoryTemplate(run: TestRun): Promise<string> {
  const template = join(run.directory, 'template');
  const lock = join(run.directory, 'template.lock');
  while (!(await exists(template))) {
    const mine = await mkdir(lock).then(
      () => true,
      () => false,
    );
    if (!mine) {
      await sleep(50);
      continue;
    }
    try {
      if (!(await exists(template))) await makeTemplate(run, template);
    } finally {
      await remove(lock);
    }
  }
  return template;
}

async function makeTemplate(run: TestRun, template: string): Promise<void> {
  const draft = await newDataDir(run);
  const storage = await EmbeddedStorage.open(draft);
  try {
    await migrate(databaseOptions({ database: { kind: 'embedded' } }, storage.database));
  } finally {
    await storage.close();
  }
  await rename(draft, template);
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

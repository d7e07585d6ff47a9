/**
 * Decides once which database the suites run on and starts it where needed. Jest loads this file without its module
 * mapper, so it imports nothing of ours; the template database is made by the first suite (`database.ts`).
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** What the suites learn through `process.env.PARLEY_TEST_RUN`. */
export interface TestRun {
  /** Of the run, removed at its end. */
  directory: string;
  /** A server on which databases may be made; absent: embedded. */
  serverUrl?: string;
  /** Of the names of the databases of this run. */
  prefix: string;
}

interface Started {
  serverUrl?: string;
  label: string;
  stop(): Promise<void>;
}

declare global {
  var parleyStopTestRun: (() => Promise<void>) | undefined;
}

const LEAST_VERSION = 15;
const START_MS = 30_000;

export default async function globalSetup(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'parley-test-'));
  const prefix = `parley_test_${directory.slice(-6).toLowerCase()}`;
  const removeDirectory = () => rmSync(directory, { recursive: true, force: true });
  try {
    const { serverUrl, label, stop } = await start(prefix);
    const run: TestRun = { directory, prefix, serverUrl };
    process.env['PARLEY_TEST_RUN'] = JSON.stringify(run);
    globalThis.parleyStopTestRun = async () => {
      await stop();
      removeDirectory();
    };
    process.stdout.write(`Tests run on ${label}\n`);
  } catch (error) {
    removeDirectory();
    throw error;
  }
}

async function start(prefix: string): Promise<Started> {
  const embedded: Started = { label: 'the embedded database', stop: () => Promise.resolve() };
  if (process.env['TEST_DATABASE'] === 'embedded') return embedded;
  const given = process.env['TEST_DATABASE_URL'];
  if (given) return useServer(given, prefix);
  const binaries = findBinaries();
  return binaries ? startServer(binaries) : embedded;
}

async function useServer(serverUrl: string, prefix: string): Promise<Started> {
  const { rows } = await ask(serverUrl, 'SHOW server_version');
  const stop = async () => {
    const { rows: left } = await ask(
      serverUrl,
      'SELECT datname AS name FROM pg_database WHERE starts_with(datname, $1)',
      [prefix],
    );
    for (const { name } of left) await ask(serverUrl, `DROP DATABASE "${String(name)}" WITH (FORCE)`);
  };
  return {
    serverUrl,
    label: `the server of TEST_DATABASE_URL, Postgres ${String(rows[0]?.['server_version'])}`,
    stop,
  };
}

async function ask(
  url: string,
  sql: string,
  values: unknown[] = [],
): Promise<pg.QueryResult<Record<string, unknown>>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(sql, values);
  } finally {
    await client.end();
  }
}

/** The newest installed Postgres: Debian keeps it outside of PATH. */
function findBinaries(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian)
    ? readdirSync(debian).filter((name) => Number(name) >= LEAST_VERSION)
    : [];
  const candidates = [
    ...versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(debian, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ];
  return candidates.find((folder) =>
    ['initdb', 'postgres'].every((program) => existsSync(join(folder, program))),
  );
}

/** A server of this run alone, that gives up durability for speed. */
async function startServer(binaries: string): Promise<Started> {
  const directory = mkdtempSync(join(tmpdir(), 'parley-postgres-'));
  const user = unprivilegedUser();
  if (user) chownSync(directory, user.uid, user.gid);
  const data = join(directory, 'data');
  const asUser = { ...user, cwd: directory };
  execFileSync(
    join(binaries, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    {
      ...asUser,
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const port = await freePort();
  const settings = [
    'fsync=off',
    'synchronous_commit=off',
    'full_page_writes=off',
    'max_connections=300',
  ].flatMap((one) => ['-c', one]);
  const args = ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', directory, ...settings];
  const server = spawn(join(binaries, 'postgres'), args, { ...asUser, stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  server.stderr.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-4000)));
  // SIGINT is Postgres's fast shutdown. An interrupted run takes its server with it.
  const stopNow = () => void server.kill('SIGINT');
  process.once('exit', stopNow);
  const serverUrl = `postgres://postgres@127.0.0.1:${String(port)}/postgres`;
  const stop = async () => {
    process.off('exit', stopNow);
    if (server.exitCode === null) {
      const exited = once(server, 'exit');
      stopNow();
      await exited;
    }
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const version = await untilReady(serverUrl, server);
    return { serverUrl, label: `a throw-away Postgres ${version} on port ${String(port)}`, stop };
  } catch (error) {
    await stop();
    throw new Error(`The throw-away Postgres did not start:\n${log}`, { cause: error });
  }
}

async function untilReady(url: string, server: ChildProcess): Promise<string> {
  for (const deadline = Date.now() + START_MS; ;) {
    try {
      const { rows } = await ask(url, 'SHOW server_version');
      return String(rows[0]?.['server_version']);
    } catch (error) {
      if (server.exitCode !== null || Date.now() > deadline) throw error;
      await sleep(50);
    }
  }
}

/** Postgres refuses to run as root. */
function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) =>
        Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }).toString());
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // No such user; the next one.
    }
  }
  throw new Error('Postgres cannot run as root, and there is no user "postgres" or "nobody"');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

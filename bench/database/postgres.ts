import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { postmasterOf } from '../processor-time.js';
import { ThrowAwayPostgres } from './throw-away-postgres.js';

const LOCAL = 'postgres://postgres@127.0.0.1:5432/postgres';
/** What a durable write costs depends on these. */
const SETTINGS = [
  'server_version',
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'wal_sync_method',
  'commit_delay',
  'shared_buffers',
];

export interface DatabaseFacts {
  settings: Record<string, string>;
  /** Median of single commits, one after the other. */
  commitMs: number;
}

/** The Postgres under all servers of a benchmark. Each server gets a database of its own in it. */
export class Postgres {
  private constructor(
    private readonly admin: pg.Client,
    private readonly url: string,
    /** Process of the postmaster, when it runs on this machine. */
    readonly postmaster: number | undefined,
    readonly facts: DatabaseFacts,
    private readonly throwAway: ThrowAwayPostgres | undefined,
  ) {}

  /** `BENCH_DATABASE_URL`, or the one of this machine; with a delay, or when none answers, one that is thrown away. */
  static async open(fsyncDelayMs: number): Promise<Postgres> {
    const given = process.env['BENCH_DATABASE_URL'];
    const url = fsyncDelayMs > 0 ? undefined : (given ?? ((await answers(LOCAL)) ? LOCAL : undefined));
    const throwAway = url === undefined ? await ThrowAwayPostgres.start(fsyncDelayMs) : undefined;
    try {
      return await Postgres.connect(url ?? (throwAway as ThrowAwayPostgres).url, fsyncDelayMs, throwAway);
    } catch (error) {
      await throwAway?.stop();
      throw error;
    }
  }

  private static async connect(url: string, fsyncDelayMs: number, throwAway?: ThrowAwayPostgres) {
    const admin = new pg.Client({ connectionString: url });
    // A server that is stopped while nothing is asked of it must not end the process.
    admin.on('error', (error) => console.error(`Postgres: ${error.message}`));
    await admin.connect();
    try {
      const facts = { settings: await settingsOf(admin), commitMs: await commitTime(admin) };
      if (facts.settings['fsync'] !== 'on' || facts.settings['synchronous_commit'] !== 'on')
        throw new Error('fsync and synchronous_commit must be on: durable messages are measured');
      if (facts.commitMs < fsyncDelayMs || (fsyncDelayMs > 0 && !isDelayed(facts)))
        throw new Error(`A commit takes ${facts.commitMs.toFixed(2)} ms: the delay of fsync is not active`);
      const { rows } = await admin.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      return new Postgres(admin, url, postmasterOf(rows[0]?.pid ?? 0), facts, throwAway);
    } catch (error) {
      await admin.end();
      throw error;
    }
  }

  /** A new, empty one; returns its URL. */
  async createDatabase(): Promise<string> {
    const name = `parley_bench_${randomBytes(6).toString('hex')}`;
    await this.admin.query(`CREATE DATABASE ${name}`);
    const url = new URL(this.url);
    url.pathname = `/${name}`;
    return url.href;
  }

  async dropDatabase(url: string): Promise<void> {
    await this.admin.query(`DROP DATABASE IF EXISTS ${new URL(url).pathname.slice(1)} WITH (FORCE)`);
  }

  async close(): Promise<void> {
    await this.admin.end();
    await this.throwAway?.stop();
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The other methods open the log so that writes are durable without a call that could be delayed. */
function isDelayed({ settings }: DatabaseFacts): boolean {
  return ['fdatasync', 'fsync'].includes(settings['wal_sync_method'] ?? '');
}

async function settingsOf(admin: pg.Client): Promise<Record<string, string>> {
  const { rows } = await admin.query<{ name: string; value: string }>(
    `SELECT name, current_setting(name) AS value FROM pg_settings WHERE name = ANY($1)`,
    [SETTINGS],
  );
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
}

/** Shows too whether an fsync that should take longer does. */
async function commitTime(admin: pg.Client): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < 30; count += 1) {
    const startedAt = performance.now();
    // A message of the log is written out as a commit is, without leaving anything.
    await admin.query(`SELECT pg_logical_emit_message(true, 'parley-bench', '')`);
    times.push(performance.now() - startedAt);
  }
  return times.sort((a, b) => a - b)[times.length / 2] ?? NaN;
}

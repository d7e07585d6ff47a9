import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { compileFsyncDelay } from './fsync-delay.js';

const execute = promisify(execFile);
const START_MS = 20_000;
/** Where Debian keeps the programs that are not on the path. */
const DEBIAN = '/usr/lib/postgresql';

/** A Postgres with its default settings in a directory of its own, gone after the benchmark. */
export class ThrowAwayPostgres {
  private constructor(
    readonly url: string,
    private readonly directory: string,
    private readonly postmaster: ChildProcess,
  ) {}

  static async start(fsyncDelayMs: number): Promise<ThrowAwayPostgres> {
    const programs = findPrograms();
    const directory = await mkdtemp(join(tmpdir(), 'parley-bench-postgres-'));
    const data = join(directory, 'data');
    const library = fsyncDelayMs > 0 ? await compileFsyncDelay(directory, fsyncDelayMs) : undefined;
    const user = process.getuid?.() === 0 ? 'postgres' : undefined;
    // Postgres refuses to run as root.
    if (user) await execute('chown', ['-R', user, directory]);
    const as = (command: string[]) =>
      user ? ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--init-groups', '--', ...command] : command;
    const [initdb = '', ...initArgs] = as([
      join(programs, 'initdb'),
      ...['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C'],
    ]);
    await execute(initdb, initArgs);
    const port = await freePort();
    const [postgres = '', ...args] = as([
      ...(library ? ['env', `LD_PRELOAD=${library}`] : []),
      join(programs, 'postgres'),
      ...['-D', data, '-p', String(port)],
      ...['-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${directory}`],
    ]);
    const postmaster = spawn(postgres, args, { stdio: 'ignore' });
    const server = new ThrowAwayPostgres(
      `postgres://postgres@127.0.0.1:${port}/postgres`,
      directory,
      postmaster,
    );
    try {
      await server.answers();
      if (library) await server.assertLoaded(library);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  async stop(): Promise<void> {
    if (this.postmaster.exitCode === null && this.postmaster.signalCode === null) {
      const ended = new Promise((resolve) => this.postmaster.once('exit', resolve));
      // Fast shutdown: whoever is connected is cut off.
      this.postmaster.kill('SIGINT');
      await ended;
    }
    await rm(this.directory, { recursive: true, force: true });
  }

  /** A library that cannot be loaded is left out with a warning nobody sees. */
  private async assertLoaded(library: string): Promise<void> {
    const maps = await readFile(`/proc/${this.postmaster.pid ?? 0}/maps`, 'utf8');
    if (!maps.includes(library)) throw new Error('The library that delays fsync was not loaded');
  }

  private async answers(): Promise<void> {
    const deadline = performance.now() + START_MS;
    for (;;) {
      const client = new pg.Client({ connectionString: this.url });
      try {
        await client.connect();
        return;
      } catch (error) {
        if (performance.now() > deadline || this.postmaster.exitCode !== null)
          throw new Error(`The throw-away Postgres did not start: ${String(error)}`, { cause: error });
        await pause(100);
      } finally {
        await client.end().catch(() => undefined);
      }
    }
  }
}

function findPrograms(): string {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  const candidates = [
    ...versions.map((version) => join(DEBIAN, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ];
  const found = candidates.find(
    (path) => existsSync(join(path, 'initdb')) && existsSync(join(path, 'postgres')),
  );
  if (found === undefined) throw new Error('No Postgres answers, and initdb and postgres are not installed');
  return found;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

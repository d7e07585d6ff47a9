import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const START_MS = 60_000;
const STOP_MS = 15_000;
/** Both kinds of servers print where they listen. */
const ADDRESS = /(?:listening on |URL +http:\/\/localhost:)(\d+)/;

/** However this process ends, no server is left behind. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A server under test: a process of its own, in an empty directory, with nothing of our environment but what is given. */
export class ServerProcess {
  private constructor(
    readonly name: string,
    readonly port: number,
    private readonly child: ChildProcess,
    private readonly directory: string,
  ) {}

  static async start(name: string, script: string, env: Record<string, string>): Promise<ServerProcess> {
    const directory = await mkdtemp(join(tmpdir(), 'parley-bench-'));
    const child = spawn(process.execPath, [script], {
      cwd: directory,
      env: { PATH: process.env['PATH'], HOME: directory, NODE_ENV: 'production', PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    running.add(child);
    child.once('exit', () => running.delete(child));
    const port = await new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        reject(new Error(`${name} did not start in time`));
      }, START_MS);
      const ended = () => reject(new Error(`${name} ended instead of starting`));
      child.once('exit', ended);
      createInterface(child.stdout).on('line', (line) => {
        const found = ADDRESS.exec(line)?.[1];
        if (found === undefined) return;
        clearTimeout(timer);
        child.off('exit', ended);
        resolve(Number(found));
      });
    });
    return new ServerProcess(name, port, child, directory);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = new Promise((resolve) => this.child.once('exit', resolve));
      this.child.kill('SIGTERM');
      const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(timer);
    }
    await rm(this.directory, { recursive: true, force: true });
  }
}

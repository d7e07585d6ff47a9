import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../harness/free-port.js';

const MAIN = join(__dirname, '../../dist/src/main.js');
/** The first start of the embedded database, on a busy machine. */
const READY_MS = 60_000;

/** The built server as a process of its own, on a port that stays the same over its lives. */
export class ServerProcess {
  private child: ChildProcess | undefined;
  private output = '';

  private constructor(
    private readonly port: number,
    private readonly environment: Record<string, string>,
    private readonly directory: string,
  ) {}

  static async create(environment: Record<string, string>, directory: string): Promise<ServerProcess> {
    return new ServerProcess(await freePort(), environment, directory);
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.port)}`;
  }

  /** Resolves when it is ready, with the ms that took. */
  async start(): Promise<number> {
    const started = performance.now();
    const { PATH, HOME, TMPDIR } = process.env;
    const child = spawn(process.execPath, [MAIN], {
      // A directory without `.env`, and nothing of the test's own environment.
      cwd: this.directory,
      env: { PATH, HOME, TMPDIR, HOST: '127.0.0.1', PORT: String(this.port), ...this.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (this.output = (this.output + chunk.toString()).slice(-8000)));
    while (!(await this.isReady())) {
      if (child.exitCode !== null || performance.now() - started > READY_MS)
        throw new Error(`The server did not become ready:\n${this.output}`);
      await sleep(20);
    }
    return performance.now() - started;
  }

  /** SIGKILL: nothing is flushed, nobody is told. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** The end of what it printed, all lives together. */
  log(): string {
    return this.output;
  }

  private async isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/health/ready`)).ok;
    } catch {
      return false;
    }
  }
}

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const START_MS = 30_000;

/** Brings `dist` up to date, which `ServerProcess` runs. */
export function buildServer(): void {
  execFileSync(process.execPath, ['scripts/build-if-needed.mjs'], { cwd: ROOT, stdio: 'pipe' });
}

/** `node dist/src/main.js` as an operator starts it: nothing of our own environment, and a folder without `.env`. */
export class ServerProcess {
  stdout = '';
  stderr = '';
  private readonly child: ChildProcess;
  private readonly exited: Promise<unknown>;

  constructor(folder: string, environment: Record<string, string>) {
    const env = {
      PATH: process.env['PATH'],
      HOST: '127.0.0.1',
      PORT: '0',
      LOG_FORMAT: 'json',
      ...environment,
    };
    this.child = spawn(process.execPath, [join(ROOT, 'dist', 'src', 'main.js')], { cwd: folder, env });
    this.exited = once(this.child, 'exit');
    this.child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Its address, as the banner tells people. */
  url(): Promise<string> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`${why}:\n${this.stdout}\n${this.stderr}`));
      const timer = setTimeout(() => fail('The server did not start in time'), START_MS);
      const look = () => {
        const url = /^ {2}URL +(\S+)$/m.exec(this.stdout)?.[1];
        if (!url) return;
        clearTimeout(timer);
        resolve(url);
      };
      this.child.stdout?.on('data', look);
      look();
      void this.exited.then(() => {
        clearTimeout(timer);
        fail('The server ended');
      });
    });
  }

  /** Its exit code. */
  async end(signal?: NodeJS.Signals): Promise<number | null> {
    if (signal && this.child.exitCode === null) this.child.kill(signal);
    await this.exited;
    return this.child.exitCode;
  }
}

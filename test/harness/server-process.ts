import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';

const START_MS = 30_000;

/** The built server as an operator runs it: a process of its own, which a test may kill. */
export class ServerProcess {
  private constructor(
    readonly url: string,
    readonly child: ChildProcess,
    readonly output: string[],
  ) {}

  /** Resolves with the first healthy answer. `npm test` has built `dist`. */
  static async start(environment: Record<string, string>, port?: number): Promise<ServerProcess> {
    const on = port ?? (await freePort());
    const child = spawn(process.execPath, [join(__dirname, '../../dist/src/main.js')], {
      env: {
        PATH: process.env['PATH'],
        HOST: '127.0.0.1',
        LOG_FORMAT: 'json',
        ...environment,
        PORT: String(on),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output: string[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk.toString()));
    const server = new ServerProcess(`http://127.0.0.1:${String(on)}`, child, output);
    await server.healthy();
    return server;
  }

  /** As the kernel or an orchestrator would. Resolves when the process is gone. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const gone = new Promise<number | null>((resolve) => this.child.once('exit', resolve));
    this.child.kill(signal);
    return gone;
  }

  private async healthy(): Promise<void> {
    const deadline = Date.now() + START_MS;
    for (;;) {
      if (this.child.exitCode !== null) throw new Error(`The server ended:\n${this.output.join('')}`);
      const ok = await fetch(`${this.url}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (ok) return;
      if (Date.now() > deadline)
        throw new Error(`The server did not become healthy:\n${this.output.join('')}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => {
        resolve(port);
      });
    });
  });
}

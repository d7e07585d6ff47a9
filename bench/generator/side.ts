import pLimit from 'p-limit';
import { Client, type Meter } from './client.js';
import { LoadRun } from './load-run.js';
import type { Answer, ClientSpec, Measured, RunSpec } from './orders.js';
import { WIRES, type Wire, type WireName } from './wire.js';

/** Handshakes at once. */
const AT_ONCE = 50;

/** The clients of one server. They stay connected between its runs. */
export class Side implements Meter {
  private readonly clients: Client[] = [];
  private readonly wire: Wire;
  private run: LoadRun | undefined;
  private lost: string | undefined;

  constructor(
    private readonly port: number,
    wire: WireName,
  ) {
    this.wire = WIRES[wire];
  }

  async connect(specs: readonly ClientSpec[]): Promise<void> {
    const limit = pLimit(AT_ONCE);
    await limit.map(specs, async (spec) => {
      const client = new Client(this.port, this.wire, spec, this);
      this.clients.push(client);
      await client.ready;
    });
  }

  async measure(spec: RunSpec, tell: (answer: Answer) => void): Promise<Measured> {
    if (this.lost !== undefined) throw new Error(this.lost);
    this.run = new LoadRun(this.wire, this.clients, spec, tell);
    try {
      return await this.run.measure();
    } finally {
      this.run = undefined;
    }
  }

  leave(): void {
    for (const client of this.clients) client.leave();
  }

  frame(client: Client, bytes: Buffer, at: number, end: number): void {
    if (this.run) this.run.frame(client, bytes, at, end);
    else if (end - at === 1) client.send('3');
  }

  failed(problem: string): void {
    if (this.run) this.run.failed(problem);
    else this.lost ??= problem;
  }
}

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Answer, ClientSpec, Measured, Order, RunSpec } from './orders.js';
import type { WireName } from './wire.js';

/** Called when the measured time of a run begins and ends. */
export interface Window {
  begins(): void;
  ends(): void;
}

/** The generator's process, seen from the benchmark. One order at a time. */
export class Generator {
  private readonly child = fork(fileURLToPath(new URL('./main.js', import.meta.url)), {
    execArgv: ['--max-old-space-size=2048', '--max-semi-space-size=32'],
  });

  async connect(side: string, port: number, wire: WireName, clients: ClientSpec[]): Promise<void> {
    await this.ask({ does: 'connect', side, port, wire, clients });
  }

  async run(side: string, spec: RunSpec, window: Window): Promise<Measured> {
    const answer = await this.ask({ does: 'run', side, spec }, window);
    if (answer.tells !== 'done') throw new Error('The generator did not tell what it measured');
    return answer.measured;
  }

  /** Nothing to do when the generator has ended: its connections have too. */
  async disconnect(side: string): Promise<void> {
    if (this.hasEnded) return;
    await this.ask({ does: 'disconnect', side });
  }

  get hasEnded(): boolean {
    return !this.child.connected;
  }

  end(): void {
    this.child.kill('SIGKILL');
  }

  private ask(order: Order, window?: Window): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        this.child.off('exit', ended);
        this.child.off('message', heard);
        act();
      };
      const fail = (problem: string) =>
        settle(() => reject(new Error(`${order.does} ${order.side}: ${problem}`)));
      const ended = () => fail('the generator ended');
      const heard = (message: unknown) => {
        const answer = message as Answer;
        if (answer.tells === 'measuring') window?.begins();
        else if (answer.tells === 'measured') window?.ends();
        else if (answer.tells === 'problem') fail(answer.problem);
        else settle(() => resolve(answer));
      };
      if (this.hasEnded) {
        fail('the generator has ended');
        return;
      }
      this.child.on('exit', ended);
      this.child.on('message', heard);
      this.child.send(order);
    });
  }
}

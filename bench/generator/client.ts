import { clock, Connection, type FrameReceiver } from './connection.js';
import type { ClientSpec } from './orders.js';
import type { Wire } from './wire.js';

/** Where the frames of clients that are ready go. */
export interface Meter {
  frame(client: Client, bytes: Buffer, at: number, end: number): void;
  failed(problem: string): void;
}

/** After this many ms a client that is not ready is a failure. */
const PATIENCE_MS = 60_000;

/** One user with one connection: greets, joins, then leaves its frames to the meter. */
export class Client implements FrameReceiver {
  readonly needsBodies: boolean;
  readonly ready: Promise<void>;
  readonly rooms: readonly string[];
  /** Grows with every message: rooms are sent to in turn. */
  turn = 0;
  /** Ms from the beginning of the connection until it was ready. */
  openedIn = 0;
  private readonly connection: Connection;
  private readonly startedAt = performance.now();
  private isReady = false;
  private joining = 0;
  private becomeReady!: () => void;
  private refuse!: (error: Error) => void;

  constructor(
    port: number,
    private readonly wire: Wire,
    private readonly spec: ClientSpec,
    private readonly meter: Meter,
  ) {
    this.rooms = spec.rooms;
    this.needsBodies = spec.sampled || wire.batches === true;
    this.ready = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('A client did not become ready')), PATIENCE_MS);
      this.becomeReady = () => {
        clearTimeout(timer);
        resolve();
      };
      this.refuse = reject;
    });
    this.connection = new Connection(port, wire.path, this);
  }

  get isSampled(): boolean {
    return this.spec.sampled;
  }

  send(packet: string): void {
    this.connection.send(packet);
  }

  leave(): void {
    this.connection.end();
  }

  upgraded(): void {
    if (!this.wire.greeting) this.enter();
  }

  frame(bytes: Buffer, at: number, end: number): void {
    if (this.isReady) this.meter.frame(this, bytes, at, end);
    else this.greet(bytes.toString('utf8', at, end));
  }

  closed(reason: string): void {
    this.refuse(new Error(`A connection was lost: ${reason}`));
    this.meter.failed(`a connection was lost: ${reason}`);
  }

  private greet(text: string): void {
    const { namespace = '', readyEvent, auth } = this.wire.greeting ?? {};
    if (text.startsWith('0'))
      this.send(`40${namespace}${JSON.stringify({ token: this.spec.token, ...auth })}`);
    else if (text === '2') this.send('3');
    else if (text.startsWith('44')) this.closed(text);
    else if (text.startsWith(`40${namespace}`) && readyEvent === undefined) this.join();
    else if (readyEvent !== undefined && text.startsWith(`42${namespace}["${readyEvent}"`)) this.join();
    else if (text.startsWith(`43${namespace}`) && --this.joining === 0) this.enter();
  }

  private join(): void {
    if (!this.wire.joins || this.rooms.length === 0) {
      this.enter();
      return;
    }
    this.joining = this.rooms.length;
    for (const [index, roomId] of this.rooms.entries())
      this.send(this.wire.command(index, 'room:join', JSON.stringify({ roomId })));
  }

  private enter(): void {
    this.isReady = true;
    this.openedIn = clock.now - this.startedAt;
    this.becomeReady();
  }
}

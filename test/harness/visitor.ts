import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import type { WireError } from '../../src/contract/errors.js';
import { Inbox } from './inbox.js';

/** What `connect_error` brings. */
export interface Refusal {
  message: string;
  data?: WireError;
}

type Options = Partial<ManagerOptions & SocketOptions> & { namespace?: string };

/** Somebody at the door: one handshake with options of the test's choice. */
export class Visitor {
  readonly inbox = new Inbox();
  readonly socket: Socket;

  constructor(url: string, { namespace = '/chat', ...options }: Options) {
    this.socket = io(`${url}${namespace}`, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      ...options,
    });
    this.socket.onAny((event: string, payload: unknown) => this.inbox.record(event, payload));
    this.socket.on('connect', () => this.inbox.record('connect', undefined));
    this.socket.on('connect_error', (error) => this.inbox.record('connect_error', error));
    this.socket.on('disconnect', (reason) => this.inbox.record('disconnect', reason));
  }

  /** Fails when the door opens. */
  async refusal(): Promise<Refusal> {
    await this.inbox.until(() => this.outcome() !== undefined, 'the end of the handshake');
    this.socket.disconnect();
    if (this.outcome() === 'connect') throw new Error('The handshake was not refused');
    return this.inbox.find<Refusal>('connect_error');
  }

  /** The code of the refusal; undefined when the door opened. */
  async entry(): Promise<string | undefined> {
    await this.inbox.until(() => this.outcome() !== undefined, 'the end of the handshake');
    return this.outcome() === 'connect'
      ? undefined
      : (await this.inbox.find<Refusal>('connect_error')).data?.code;
  }

  /** Fails when it does not; resolves with what the server says first. */
  async welcome(): Promise<{ userId: string }> {
    await this.inbox.until(() => this.outcome() !== undefined, 'the end of the handshake');
    const [refused] = this.inbox.all<Refusal>('connect_error');
    if (refused) throw new Error(`Refused: ${refused.message} ${JSON.stringify(refused.data)}`);
    return this.inbox.find<{ userId: string }>('session:ready');
  }

  leave(): void {
    this.socket.disconnect();
  }

  private outcome(): string | undefined {
    return this.inbox.events.find(({ event }) => event === 'connect' || event === 'connect_error')?.event;
  }
}

import { once } from 'node:events';
import WebSocket from 'ws';
import type { WireError } from '../../src/contract/errors.js';
import type { NamespaceName } from '../../src/contract/namespaces.js';
import { OPENING } from './actor.js';

/** What the server sent in one Socket.IO packet: `40` CONNECT, `41` DISCONNECT, `42` EVENT, `43` ACK, `44` CONNECT_ERROR. */
export interface Packet {
  kind: 'connect' | 'disconnect' | 'event' | 'ack' | 'connect_error';
  namespace: string;
  id?: number;
  data: unknown;
  /** As it came, to look for echoes. */
  text: string;
}

export type RawAnswer = { status: 'ok' } | { status: 'error'; error: WireError };

const KINDS = ['connect', 'disconnect', 'event', 'ack', 'connect_error'] as const;
const PACKET = /^4([0-4])(?:(\/[^,]*),)?(\d+)?([\s\S]*)$/;
const DEADLINE_MS = 8000;

/**
 * A client without a library between it and the wire: it can send what socket.io-client would never send. Records every packet, from
 * the first on, and the code the connection was closed with.
 */
export class RawClient {
  readonly packets: Packet[] = [];
  /** Binary frames and everything else that is not a Socket.IO packet or a heartbeat. */
  readonly others: string[] = [];
  closeCode: number | undefined;
  private readonly waiting = new Set<() => void>();
  private lastId = 0;
  private namespace: NamespaceName = '/chat';

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data: Buffer, isBinary) => this.receive(isBinary ? '(binary)' : data.toString()));
    socket.on('close', (code) => {
      this.closeCode = code;
      this.check();
    });
    socket.on('error', () => undefined);
  }

  /** A transport that has not asked for a namespace yet. */
  static async transport(url: string, query = 'EIO=4&transport=websocket'): Promise<RawClient> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?${query}`);
    const client = new RawClient(socket);
    await Promise.race([once(socket, 'open'), once(socket, 'close')]);
    return client;
  }

  /** In one namespace, and ready. */
  static async in(url: string, namespace: NamespaceName, token: string): Promise<RawClient> {
    const client = await RawClient.transport(url);
    await client.enters(namespace, token);
    return client;
  }

  /** One more namespace on this transport, and ready. Commands go to the one entered last. */
  async enters(namespace: NamespaceName, token: string): Promise<void> {
    this.namespace = namespace;
    this.write(`40${namespace},${JSON.stringify({ token })}`);
    const opening = OPENING[namespace];
    await this.until(() => this.events(opening).length > 0, opening);
  }

  write(frame: string | Buffer): void {
    this.socket.send(frame);
  }

  /** Sends an event whose arguments are JSON text; gives the id under which it will be acknowledged. */
  emit(event: string, ...args: string[]): number {
    this.lastId += 1;
    this.write(`42${this.namespace},${String(this.lastId)}[${[JSON.stringify(event), ...args].join(',')}]`);
    return this.lastId;
  }

  /** The one answer to a command. */
  async command(event: string, ...args: string[]): Promise<RawAnswer> {
    const [answer] = await this.answers([this.emit(event, ...args)]);
    return (answer?.data as [RawAnswer])[0];
  }

  /** Waits until each id is acknowledged; in the order of the ids. */
  async answers(ids: number[], deadlineMs = DEADLINE_MS): Promise<Packet[]> {
    const open = new Set(ids);
    const found = new Map<number, Packet>();
    let looked = 0;
    await this.until(
      () => {
        for (; looked < this.packets.length; looked += 1) {
          const packet = this.packets[looked];
          if (packet?.kind !== 'ack' || packet.id === undefined || !open.delete(packet.id)) continue;
          found.set(packet.id, packet);
        }
        return open.size === 0;
      },
      `${String(ids.length)} answers`,
      deadlineMs,
    );
    return ids.map((id) => found.get(id)!);
  }

  events<T = unknown>(name: string): T[] {
    return this.packets
      .filter(({ kind, data }) => kind === 'event' && (data as [string])[0] === name)
      .map(({ data }) => (data as [string, T])[1]);
  }

  of(kind: Packet['kind']): Packet[] {
    return this.packets.filter((packet) => packet.kind === kind);
  }

  /** Resolves with the code; fails when the server keeps the connection. */
  async closed(): Promise<number> {
    await this.until(() => this.closeCode !== undefined, 'the close of the connection');
    return this.closeCode!;
  }

  until(holds: () => boolean, what: string, deadlineMs = DEADLINE_MS): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const check = () => {
        if (holds()) finish(resolve);
      };
      const timer = setTimeout(() => {
        const seen = this.packets.slice(-20).map(({ text }) => `  ${text.slice(0, 200)}`);
        const state = this.closeCode === undefined ? 'open' : `closed with ${String(this.closeCode)}`;
        finish(() =>
          reject(
            new Error(
              `Waited for ${what}; the connection is ${state}; it last received:\n${seen.join('\n')}`,
            ),
          ),
        );
      }, deadlineMs);
      const finish = (end: () => void) => {
        clearTimeout(timer);
        this.waiting.delete(check);
        end();
      };
      this.waiting.add(check);
    });
  }

  close(): void {
    this.socket.terminate();
  }

  private receive(text: string): void {
    if (text === '2') this.write('3');
    const packet = packetOf(text);
    if (packet) this.packets.push(packet);
    else if (text !== '2') this.others.push(text);
    this.check();
  }

  private check(): void {
    for (const check of [...this.waiting]) check();
  }
}

function packetOf(text: string): Packet | undefined {
  const [, kind, namespace = '/', id, json] = PACKET.exec(text) ?? [];
  if (kind === undefined) return undefined;
  try {
    const data = json ? (JSON.parse(json) as unknown) : undefined;
    return { kind: KINDS[Number(kind)]!, namespace, ...(id !== undefined && { id: Number(id) }), data, text };
  } catch {
    // An id that is not digits, as `1e+23`.
    return undefined;
  }
}

import type { Socket as NetSocket } from 'node:net';
import { FrameList } from './frame-queue-list.js';
import type { RealtimeSocket } from './realtime-socket.js';

/**
 * The private parts of socket.io 4.8, engine.io 6.6 and ws 8 the frame queue relies on, and nothing else of them. They are looked at
 * at the start (`missingPart`) and once for each connection (`webSocketOf`), and where one is not there everything goes the plain path.
 */

/** One transport with the sockets of all its namespaces. */
export interface SocketIoClient {
  readonly conn: EngineConnection;
  readonly sockets: ReadonlyMap<string, RealtimeSocket>;
  writeToEngine: (this: SocketIoClient, packets: EncodedPackets, options: WriteOptions) => void;
  close(): void;
}

/** One packet: its text, and the binary attachments after it. */
export type EncodedPackets = string | readonly (string | Uint8Array)[];

export interface WriteOptions {
  volatile?: boolean;
  /** Put there once per broadcast by socket.io-adapter. */
  wsPreEncodedFrame?: readonly Buffer[];
}

/** The adapter of a namespace: it encodes a packet for all receivers, and frames it. */
export interface EncodingAdapter {
  readonly _encode?: (packet: object, options: WriteOptions) => EncodedPackets;
}

export interface EngineConnection {
  readonly id: string;
  readonly protocol: number;
  readonly readyState: string;
  readonly transport: EngineTransport;
  readonly writeBuffer: unknown[];
  close(discard?: boolean): void;
  listenerCount(event: string): number;
}

export interface EngineTransport {
  readonly name: string;
  readonly perMessageDeflate?: unknown;
  readonly socket?: WebSocket;
}

export interface WebSocket {
  readonly readyState: number;
  readonly extensions: string;
  readonly bufferedAmount: number;
  readonly _socket: NetSocket;
  readonly _sender: { readonly _bufferedBytes: number; readonly _queue: readonly unknown[] };
  close(this: WebSocket, code?: number, reason?: string | Buffer): void;
  terminate(): void;
}

interface Sender {
  send(data: string, options: object): void;
}

/** `server.engine` of Socket.IO. */
export interface Engine {
  readonly ws?: {
    readonly options?: {
      readonly WebSocket?: {
        readonly prototype: Partial<WebSocket>;
        readonly Sender?: new (socket: object, extensions: object) => Sender;
      };
    };
  };
}

export const OPEN = 1;
/** One of each length of a header, and text that is longer in UTF-8. */
const SAMPLES = ['2["a"]', 'b'.repeat(200), 'ü'.repeat(40_000)];

/** The first thing that is not as expected in the libraries as they are installed. */
export function missingPart(engine: Engine): string | undefined {
  const WebSocket = engine.ws?.options?.WebSocket;
  if (!WebSocket) return 'the class of WebSockets of engine.io';
  if (typeof WebSocket.prototype.close !== 'function') return 'close of a WebSocket';
  if (typeof WebSocket.prototype.terminate !== 'function') return 'terminate of a WebSocket';
  const { Sender } = WebSocket;
  if (typeof Sender !== 'function') return 'the Sender of ws';
  try {
    if (!SAMPLES.every((text) => sentBy(Sender, text).equals(FrameList.empty().with(text).join())))
      return 'the frames of ws, which differ from ours';
  } catch {
    return 'the way ws writes to its socket';
  }
  return undefined;
}

/** Whether we can stand between the sockets of a client and its transport at all. */
export function isKnown({ conn, sockets, writeToEngine }: Partial<SocketIoClient>): boolean {
  return typeof writeToEngine === 'function' && sockets instanceof Map && Array.isArray(conn?.writeBuffer);
}

/** What ws writes for an Engine.IO message. */
function sentBy(Sender: new (socket: object, extensions: object) => Sender, text: string): Buffer {
  const written: Buffer[] = [];
  const socket = {
    cork: () => undefined,
    uncork: () => undefined,
    write: (chunk: Buffer | string) => written.push(Buffer.from(chunk as string)),
  };
  const options = { fin: true, binary: false, mask: false, compress: false };
  new Sender(socket, {}).send(`4${text}`, options);
  return Buffer.concat(written);
}

/** The WebSocket below a transport. `plain`: not one whose bytes we may write. `unknown`: it should be, but a part is not there. */
export function webSocketOf(conn: EngineConnection): WebSocket | 'plain' | 'unknown' {
  const { transport } = conn;
  if (transport.name !== 'websocket' || conn.protocol !== 4 || transport.perMessageDeflate) return 'plain';
  // Whoever listens wants to see every packet, as the development mode of Socket.IO's admin UI does.
  if (conn.listenerCount('packetCreate') > 0) return 'plain';
  const socket = transport.socket as Partial<WebSocket> | undefined;
  if (socket?.readyState !== undefined && socket.readyState !== OPEN) return 'plain';
  if (socket?.extensions) return 'plain';
  const known =
    socket?.extensions === '' &&
    Array.isArray(conn.writeBuffer) &&
    Array.isArray(socket._sender?._queue) &&
    typeof socket._sender._bufferedBytes === 'number' &&
    typeof socket._socket?.write === 'function' &&
    typeof socket._socket.writableLength === 'number';
  return known ? (socket as WebSocket) : 'unknown';
}

import {
  OPEN,
  webSocketOf,
  type EncodedPackets,
  type EngineTransport,
  type SocketIoClient,
  type WebSocket,
  type WriteOptions,
} from './frame-queue-internals.js';
import type { Frame, FrameList } from './frame-queue-list.js';
import type { PacketRun } from './packet-run.js';

/** What a connection needs of the queue of all. */
export interface SharedQueue {
  /** The list every queue of this tick begins with; replaced with each flush. */
  readonly empty: FrameList;
  readonly enabled: boolean;
  readonly limits: { readonly bytes: number; readonly frames: number };
  flushLater(connection: ConnectionQueue): void;
  /** Something is for this connection alone, as an acknowledgement is: whoever waits for it should not wait for the others. */
  flushFirst(connection: ConnectionQueue): void;
  cutLater(connection: ConnectionQueue, waitingBytes: number): void;
  wrote(frames: number): void;
  wrotePlainly(): void;
  usePlainPath(missing: string): void;
}

/** A queue above this leaves before the tick ends: then the measure of what waits below it is true again. */
const FLUSH_BYTES = 1_048_576;

const CONNECTION = Symbol('the queue of this connection');
type Queued<T> = T & { [CONNECTION]: ConnectionQueue };

/**
 * The queue of one connection, and its measure of what waits because the client does not read. Of 5,000 idle connections each has one:
 * no closures, no lists of its own.
 */
export class ConnectionQueue {
  private list: FrameList | undefined;
  /** The transport `socket` was looked up for: it is another one after an upgrade. */
  private transport: EngineTransport | undefined;
  private socket: WebSocket | undefined;
  private state: 'open' | 'ending' | 'cut' = 'open';
  /** Written since the TCP socket was last empty. The frames in what is left there are estimated by their average size. */
  private sentBytes = 0;
  private sentFrames = 0;
  /** Given to the buffer of engine.io since it was last empty. */
  private plainBytes = 0;
  private plainFrames = 0;

  private constructor(
    private readonly queue: SharedQueue,
    private readonly client: SocketIoClient,
  ) {}

  /** Takes over what the client writes. Once for each: the sockets of all namespaces share it. */
  static install(queue: SharedQueue, client: SocketIoClient): void {
    if (CONNECTION in client) return;
    (client as Queued<SocketIoClient>)[CONNECTION] = new ConnectionQueue(queue, client);
    client.writeToEngine = writeToQueue;
  }

  write(packets: EncodedPackets, options: WriteOptions): void {
    if (this.state === 'cut') return;
    const frame = this.state === 'open' ? frameOf(packets, options) : undefined;
    // While something is queued nothing else can have come to stand between it and the socket: see `writePlainly` and `closeAfterFlush`.
    if (frame === undefined || (!this.list && !this.isWritable())) {
      this.writePlainly(packets, options);
      return;
    }
    if (!this.list) this.queue.flushLater(this);
    if (typeof frame === 'string') this.queue.flushFirst(this);
    this.list = (this.list ?? this.queue.empty).with(frame);
    if (this.list.bytes > FLUSH_BYTES) this.flush();
  }

  /** All of them, in their order. */
  writeRun(run: PacketRun): void {
    const next =
      this.state === 'open' && (this.list ?? this.isWritable())
        ? run.after(this.list ?? this.queue.empty)
        : undefined;
    if (!next) {
      for (const { packets, options } of run.packets) this.write(packets, options);
      return;
    }
    if (!this.list) this.queue.flushLater(this);
    this.list = next;
    if (next.bytes > FLUSH_BYTES) this.flush();
  }

  /** Everything queued in one write; or, when what was written before still waits above the limit, the end. */
  flush(): void {
    const { list, socket } = this;
    this.list = undefined;
    if (!list || socket?.readyState !== OPEN || this.state !== 'open') return;
    const tcp = socket._socket;
    const waiting = tcp.writableLength;
    if (waiting === 0) this.sentBytes = this.sentFrames = 0;
    else if (this.isSlow(waiting)) {
      this.cutLater(waiting);
      return;
    }
    tcp.write(list.join());
    this.sentBytes += list.bytes;
    this.sentFrames += list.length;
    this.queue.wrote(list.length);
  }

  /**
   * Ends the connection. A WebSocket is torn down, which frees what waits for it at once; a polling client is told by its next request,
   * and of what waited for it only that is kept.
   */
  end(tell: (client: SocketIoClient) => void): void {
    const { conn } = this.client;
    const { socket } = conn.transport;
    this.state = 'ending';
    if (!socket) conn.writeBuffer.length = 0;
    tell(this.client);
    this.state = 'cut';
    if (socket) socket.terminate();
    else this.client.close();
  }

  /** Through socket.io and engine.io as they are, after what is queued. */
  private writePlainly(packets: EncodedPackets, options: WriteOptions): void {
    this.flush();
    if (this.state === 'open' && this.client.conn.readyState === 'open') {
      // What is waiting below engine.io it does not see, and would send what may be dropped.
      if (options.volatile && this.socket && this.socket._socket.writableLength > 0) return;
      this.measurePlain(packets);
    }
    if (this.state === 'cut') return;
    this.queue.wrotePlainly();
    const { client } = this;
    (Object.getPrototypeOf(client) as SocketIoClient).writeToEngine.call(client, packets, options);
  }

  private measurePlain(packets: EncodedPackets): void {
    const { writeBuffer, transport } = this.client.conn;
    // It is emptied as a whole, at a poll or when the WebSocket is writable again.
    if (writeBuffer.length < this.plainFrames) this.plainBytes = this.plainFrames = 0;
    const waiting = this.plainBytes + (transport.socket?.bufferedAmount ?? 0);
    const { bytes, frames } = this.queue.limits;
    if (waiting > bytes || writeBuffer.length > frames) {
      this.cutLater(waiting);
      return;
    }
    for (const packet of typeof packets === 'string' ? [packets] : packets) {
      this.plainBytes += typeof packet === 'string' ? packet.length : packet.byteLength;
      this.plainFrames += 1;
    }
  }

  private isSlow(waiting: number): boolean {
    const { bytes, frames } = this.queue.limits;
    return waiting > bytes || (waiting / this.sentBytes) * this.sentFrames > frames;
  }

  private cutLater(waiting: number): void {
    this.state = 'cut';
    this.queue.cutLater(this, waiting);
  }

  /** Whether bytes for this connection may go past engine.io: nothing of it is on its way that would come after them. */
  private isWritable(): boolean {
    if (!this.queue.enabled) return false;
    const { conn } = this.client;
    if (this.transport !== conn.transport) this.lookUp();
    const { socket } = this;
    return (
      socket?.readyState === OPEN &&
      conn.readyState === 'open' &&
      conn.writeBuffer.length === 0 &&
      socket._sender._bufferedBytes === 0 &&
      socket._sender._queue.length === 0
    );
  }

  private lookUp(): void {
    const { conn } = this.client;
    this.transport = conn.transport;
    const socket = webSocketOf(conn);
    if (socket === 'unknown') this.queue.usePlainPath('a part of an open WebSocket');
    this.socket = typeof socket === 'string' ? undefined : socket;
    if (!this.socket) return;
    (this.socket as Queued<WebSocket>)[CONNECTION] = this;
    this.socket.close = closeAfterFlush;
  }
}

/** Of a client whose writing was taken over. */
export function queueOf(client: SocketIoClient): ConnectionQueue | undefined {
  return (client as Partial<Queued<SocketIoClient>>)[CONNECTION];
}

function frameOf(packets: EncodedPackets, options: WriteOptions): Frame | undefined {
  if (options.volatile) return undefined;
  if (options.wsPreEncodedFrame) return options.wsPreEncodedFrame;
  const [packet] = typeof packets === 'string' ? [packets] : packets.length === 1 ? packets : [];
  return typeof packet === 'string' ? packet : undefined;
}

function writeToQueue(this: SocketIoClient, packets: EncodedPackets, options: WriteOptions): void {
  (this as Queued<SocketIoClient>)[CONNECTION].write(packets, options);
}

/** Every way to close in order ends here: of a socket, of a client, of engine.io, of the peer. What was emitted before comes before. */
function closeAfterFlush(this: WebSocket, code?: number, reason?: string | Buffer): void {
  (this as Queued<WebSocket>)[CONNECTION].flush();
  (Object.getPrototypeOf(this) as WebSocket).close.call(this, code, reason);
}

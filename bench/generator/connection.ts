import { connect, type Socket } from 'node:net';

/** Whoever has the connection hears of its frames while their bytes are in the arena: nothing may be kept without a copy. */
export interface FrameReceiver {
  /** True: whole bodies, however long. Else only `PREFIX_BYTES` of a body are sure to be there. */
  readonly needsBodies: boolean;
  upgraded(): void;
  /** A text frame whose body begins at `at` and is there up to `end`. */
  frame(bytes: Buffer, at: number, end: number): void;
  closed(reason: string): void;
}

/** As much of each body is there when a frame is told. */
const PREFIX_BYTES = 64;
/** What was left of the last chunk is put in front of the next one. */
const HEADROOM = 512 * 1024;
const READ_BYTES = 256 * 1024;

/** All connections read into the same bytes: a chunk is walked before the next one is read. */
const arena = Buffer.allocUnsafeSlow(HEADROOM + READ_BYTES);
const reading = arena.subarray(HEADROOM);

/** The time of the chunk that is being walked, as `performance.now()` tells it. */
export const clock = { now: 0 };

const TEXT = 0x81;
const PING = 0x89;

/**
 * A WebSocket spoken by hand, at a fraction of the cost of a client library: frames are found by their headers and
 * told by the beginning of their bodies; the rest of a body is skipped without being touched.
 */
export class Connection {
  private readonly socket: Socket;
  private isUpgraded = false;
  private isWalking = false;
  private isEnding = false;
  /** Bytes of a body that are still to come and that nobody looks at. */
  private skip = 0;
  /** The beginning of a frame, when the chunk ended within it. */
  private rest: Buffer | undefined;
  private readonly outgoing: string[] = [];

  constructor(
    port: number,
    path: string,
    private readonly receiver: FrameReceiver,
  ) {
    this.socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: reading,
        callback: (length) => {
          this.read(length);
          return true;
        },
      },
    });
    this.socket.on('error', (error) => this.ended(error.message));
    this.socket.on('close', () => this.ended('closed by the server'));
    this.socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
  }

  /** ASCII. What is sent while a chunk is walked leaves in one piece. */
  send(text: string): void {
    this.outgoing.push(text);
    if (!this.isWalking) this.flush();
  }

  end(): void {
    this.isEnding = true;
    this.socket.destroy();
  }

  private ended(reason: string): void {
    if (this.isEnding) return;
    this.isEnding = true;
    this.receiver.closed(reason);
  }

  private read(length: number): void {
    clock.now = performance.now();
    const start = this.rest ? HEADROOM - this.rest.length : HEADROOM;
    this.rest?.copy(arena, start);
    this.rest = undefined;
    this.isWalking = true;
    const end = HEADROOM + length;
    const at = this.isUpgraded ? start : this.upgrade(start, end);
    if (this.isUpgraded) this.walk(at, end);
    this.isWalking = false;
    if (this.outgoing.length > 0) this.flush();
  }

  private upgrade(start: number, end: number): number {
    const headers = arena.toString('latin1', start, end);
    const length = headers.indexOf('\r\n\r\n');
    if (length < 0) this.keep(start, end);
    else if (headers.startsWith('HTTP/1.1 101')) {
      this.isUpgraded = true;
      this.receiver.upgraded();
    } else this.ended(headers.slice(0, 200));
    return start + length + 4;
  }

  private walk(start: number, end: number): void {
    let at = start + Math.min(this.skip, end - start);
    this.skip -= at - start;
    while (at < end) {
      const [body, length] = header(at, end);
      const wanted = this.receiver.needsBodies ? length : Math.min(length, PREFIX_BYTES);
      // Without the whole header `body` is beyond the end too.
      if (body + wanted > end) {
        this.keep(at, end);
        return;
      }
      const next = body + length;
      const opcode = arena[at];
      if (opcode === TEXT) this.receiver.frame(arena, body, Math.min(next, end));
      else if (opcode !== PING)
        this.ended(`frame ${String(opcode)}: ${arena.toString('latin1', body + 2, next)}`);
      this.skip = Math.max(0, next - end);
      at = next;
    }
  }

  private keep(start: number, end: number): void {
    if (end - start > HEADROOM) this.ended('a frame is too long');
    else this.rest = Buffer.from(arena.subarray(start, end));
  }

  /** Masked with zero, which changes nothing, as one write. */
  private flush(): void {
    const length = this.outgoing.reduce((sum, { length }) => sum + length + (length < 126 ? 6 : 8), 0);
    const bytes = Buffer.allocUnsafe(length);
    let at = 0;
    for (const text of this.outgoing) {
      bytes[at++] = TEXT;
      if (text.length < 126) bytes[at++] = 0x80 | text.length;
      else {
        bytes[at++] = 0x80 | 126;
        at = bytes.writeUInt16BE(text.length, at);
      }
      at = bytes.writeUInt32BE(0, at);
      at += bytes.write(text, at, 'latin1');
    }
    this.outgoing.length = 0;
    this.socket.write(bytes);
  }
}

/** Where the body begins and how long it is; beyond the end when the header is not complete. Reused: nobody keeps it. */
const found: [number, number] = [0, 0];
function header(at: number, end: number): [number, number] {
  const short = end - at < 2 ? 0 : (arena[at + 1] as number);
  found[0] = at + 2;
  found[1] = short;
  if (short === 126) {
    found[0] = at + 4;
    found[1] = end - at < 4 ? 0 : arena.readUInt16BE(at + 2);
  } else if (short === 127) {
    found[0] = at + 10;
    found[1] = end - at < 10 ? 0 : arena.readUInt32BE(at + 6);
  }
  return found;
}

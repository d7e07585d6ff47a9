import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { NamespaceName } from '../../src/contract/namespaces.js';
import { OPENING } from './actor.js';

const DEADLINE_MS = 8000;
/** A close frame without a code, and its masked answer, for which the server waits. */
const CLOSE = Buffer.from([0x88, 0]);
const CLOSE_ANSWER = Buffer.from([0x88, 0x80, 0, 0, 0, 0]);
const END_OF_HEADERS = '\r\n\r\n';

/** A WebSocket of which the test sees the very bytes, headers of frames included, and which can stop reading. */
export class WireTap {
  isClosed = false;
  private readonly chunks: Buffer[] = [];
  private readonly waiting = new Set<() => void>();

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk) => {
      this.chunks.push(chunk);
      if (chunk.subarray(-2).equals(CLOSE)) socket.write(CLOSE_ANSWER);
      this.check();
    });
    socket.on('close', () => {
      this.isClosed = true;
      this.check();
    });
    socket.on('error', () => undefined);
  }

  /** In one namespace, and ready. */
  static async in(url: string, namespace: NamespaceName, token: string): Promise<WireTap> {
    const { hostname, port, host } = new URL(url);
    const tap = new WireTap(connect(Number(port), hostname));
    const request = [
      'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
      `Host: ${host}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      // As a browser asks for it: the server must not agree.
      'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    ];
    tap.socket.write(request.join('\r\n') + END_OF_HEADERS);
    await tap.until(() => tap.received().includes(END_OF_HEADERS), 'the answer to the handshake');
    tap.send(`40${namespace},${JSON.stringify({ token })}`);
    await tap.has(`["${OPENING[namespace]}"`);
    return tap;
  }

  /** Everything so far, from the answer to the handshake on. */
  received(): Buffer {
    if (this.chunks.length > 1) this.chunks.splice(0, this.chunks.length, Buffer.concat(this.chunks));
    return this.chunks[0] ?? Buffer.alloc(0);
  }

  /** Frames of text, all in one write. */
  send(...texts: string[]): void {
    this.socket.write(Buffer.concat(texts.map(masked)));
  }

  has(text: string): Promise<void> {
    return this.until(() => this.received().includes(text), text);
  }

  closed(deadlineMs = DEADLINE_MS): Promise<void> {
    return this.until(() => this.isClosed, 'the end of the connection', deadlineMs);
  }

  stopReading(): void {
    this.socket.pause();
  }

  readOn(): void {
    this.socket.resume();
  }

  close(): void {
    this.socket.destroy();
  }

  private until(holds: () => boolean, what: string, deadlineMs = DEADLINE_MS): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const check = () => {
        if (holds()) finish(resolve);
        else if (this.isClosed) finish(() => reject(new Error(`Closed before ${what}`)));
      };
      const timer = setTimeout(() => {
        const last = this.received().subarray(-500).toString();
        finish(() => reject(new Error(`Waited for ${what}; the last bytes are: ${last}`)));
      }, deadlineMs);
      const finish = (end: () => void) => {
        clearTimeout(timer);
        this.waiting.delete(check);
        end();
      };
      this.waiting.add(check);
    });
  }

  private check(): void {
    for (const check of [...this.waiting]) check();
  }
}

/** A client has to mask; a mask of zeros leaves the text as it is. */
function masked(text: string): Buffer {
  const payload = Buffer.from(text);
  const length = payload.length;
  if (length > 65_535) throw new Error('Longer than a test sends');
  const header = length < 126 ? [0x81, 0x80 | length] : [0x81, 0x80 | 126, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([...header, 0, 0, 0, 0]), payload]);
}

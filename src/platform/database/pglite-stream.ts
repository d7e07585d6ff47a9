import { Duplex } from 'node:stream';

/** What answers a group of protocol messages: the embedded database. */
export interface ProtocolPeer {
  /** Resolves when `connection` is the only one that talks, on a session without traces of the one before. */
  admit(connection: PgliteStream): Promise<void>;
  exchange(messages: Uint8Array): Promise<Uint8Array>;
}

const code = (letter: string) => letter.charCodeAt(0);
const SYNC = code('S');
const QUERY = code('Q');
const TERMINATE = code('X');
/** Cursors (Flush) and COPY FROM STDIN need an answer in the middle of a group, which PGlite does not give. */
const UNSUPPORTED = new Set([code('H'), code('d'), code('c'), code('f')]);
/** Letter and length of a message. The startup packet, the first one, has no letter. */
const HEADER_BYTES = 5;
const STARTUP_HEADER_BYTES = 4;

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

type Done = (error?: Error | null) => void;

/**
 * One connection to the embedded database, in the shape of the socket that `pg` expects: it cuts the bytes `pg` writes
 * into groups that end with Sync or Query and pushes the database's answers. Everything above it (pool, types, prepared
 * statements, SQLSTATE codes) is the stock driver.
 */
export class PgliteStream extends Duplex {
  private received: Buffer = Buffer.alloc(0);
  /** Where the first message starts that is not yet known to be complete. */
  private scanned = 0;
  private started = false;

  constructor(private readonly peer: ProtocolPeer) {
    super();
  }

  connect(): this {
    this.peer.admit(this).then(
      () => !this.destroyed && this.emit('connect'),
      (error: unknown) => this.destroy(asError(error)),
    );
    return this;
  }

  // The rest of a socket, as far as `pg` uses it. The worker alone decides whether the process may exit.
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }

  override _read(): void {
    // Answers are pushed as they come.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
    this.passOn().then(
      () => done(),
      (error: unknown) => done(asError(error)),
    );
  }

  override _final(done: Done): void {
    done();
    this.destroy();
  }

  private async passOn(): Promise<void> {
    for (let group = this.nextGroup(); group; group = this.nextGroup()) {
      const reply = await this.peer.exchange(group);
      // Closed meanwhile: nobody listens.
      if (this.destroyed) return;
      if (reply.length > 0) this.push(Buffer.from(reply.buffer, reply.byteOffset, reply.byteLength));
    }
  }

  /** The next messages that ask for an answer, or undefined while they are incomplete. */
  private nextGroup(): Uint8Array | undefined {
    if (!this.started) return this.startupPacket();
    while (this.received.length >= this.scanned + HEADER_BYTES) {
      const type = this.received[this.scanned] ?? 0;
      const next = this.scanned + 1 + this.received.readInt32BE(this.scanned + 1);
      if (this.received.length < next) return undefined;
      if (UNSUPPORTED.has(type))
        throw new Error('The embedded database has no cursors and no COPY FROM STDIN');
      this.scanned = next;
      if (type === SYNC || type === QUERY) return this.cut();
      // The end of the connection, not of the database; `pg` ends the stream next.
      if (type === TERMINATE) this.cut();
    }
    return undefined;
  }

  private startupPacket(): Uint8Array | undefined {
    if (this.received.length < STARTUP_HEADER_BYTES) return undefined;
    this.scanned = this.received.readInt32BE(0);
    if (this.received.length < this.scanned) return undefined;
    this.started = true;
    return this.cut();
  }

  /** A copy, because it moves to another thread. */
  private cut(): Uint8Array {
    const group = new Uint8Array(this.received.subarray(0, this.scanned));
    this.received = this.received.subarray(this.scanned);
    this.scanned = 0;
    return group;
  }
}

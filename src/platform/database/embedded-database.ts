import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { PgliteStream, type ProtocolPeer } from './pglite-stream.js';

interface Waiting {
  resolve: (reply: Uint8Array) => void;
  reject: (error: Error) => void;
}

const IN_MEMORY = 'memory://';
const WORKER = fileURLToPath(new URL('./pglite.worker.mjs', import.meta.url));

/** The embedded database cannot be opened, or has stopped. */
export class EmbeddedDatabaseFailure extends Error {
  constructor(dataDir: string, cause: unknown) {
    super(
      `The embedded database in ${dataDir} stopped: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
    this.name = 'EmbeddedDatabaseFailure';
  }
}

/**
 * PGlite in a worker thread, reached by the stock `pg` driver through `stream()`. It has one session: connections take
 * turns, a second one is admitted when the first is closed. When the thread dies, every connection fails, now and later.
 */
export class EmbeddedDatabase implements ProtocolPeer {
  private readonly waiting: Waiting[] = [];
  private readonly connections = new Set<PgliteStream>();
  private turn: Promise<unknown> = Promise.resolve();
  private failure: Error | undefined;

  private constructor(
    private readonly worker: Worker,
    private readonly dataDir: string,
  ) {
    worker.on('message', (reply: Uint8Array) => this.answered(reply));
    worker.on('error', (error) => this.fail(error));
    worker.on('exit', () => this.fail('the database is closed'));
    worker.unref();
  }

  /** Made when it is not there; `memory://` keeps everything in memory. The caller holds the lock on the directory. */
  static async open(dataDir: string): Promise<EmbeddedDatabase> {
    try {
      if (dataDir !== IN_MEMORY && !existsSync(dataDir)) await initialise(dataDir);
      return new EmbeddedDatabase(await startWorker(dataDir), dataDir);
    } catch (error) {
      throw new EmbeddedDatabaseFailure(dataDir, error);
    }
  }

  /** For the option `stream` of `pg`, in a pool with `max: 1`. */
  stream(): PgliteStream {
    const connection = new PgliteStream(this);
    this.connections.add(connection);
    connection.once('close', () => this.connections.delete(connection));
    return connection;
  }

  async admit(connection: PgliteStream): Promise<void> {
    const before = this.turn;
    const closed = new Promise((resolve) => connection.once('close', resolve));
    this.turn = before.then(() => closed);
    await before;
    if (connection.destroyed) return;
    // The connection before may have died inside a transaction, or left prepared statements and settings.
    for (const statement of ['ROLLBACK', 'DISCARD ALL']) await this.exchange(queryMessage(statement));
  }

  exchange(messages: Uint8Array): Promise<Uint8Array> {
    if (this.failure) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => {
      // An answer in flight keeps the process alive; an idle database does not.
      if (this.waiting.length === 0) this.worker.ref();
      this.waiting.push({ resolve, reject });
      this.worker.postMessage(messages, [messages.buffer as ArrayBuffer]);
    });
  }

  /** Ends the thread without another write, and every connection with this: it died, or the directory is no longer ours. */
  fail(cause: unknown): void {
    this.failure ??= new EmbeddedDatabaseFailure(this.dataDir, cause);
    void this.worker.terminate();
    for (const { reject } of this.waiting.splice(0)) reject(this.failure);
    for (const connection of this.connections) connection.destroy(this.failure);
  }

  /** Close the pool first: what is still connected fails. */
  async close(): Promise<void> {
    if (this.worker.threadId === -1) return;
    this.failure ??= new EmbeddedDatabaseFailure(this.dataDir, 'the database is closed');
    await closeWorker(this.worker);
  }

  private answered(reply: Uint8Array): void {
    this.waiting.shift()?.resolve(reply);
    if (this.waiting.length === 0) this.worker.unref();
  }
}

/**
 * In a thread of its own, because initdb takes 0.8 GB, and WebAssembly gives memory back with its thread only. Renamed
 * when it is complete: killed in the middle, the next start begins anew.
 */
async function initialise(dataDir: string): Promise<void> {
  const draft = `${dataDir}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await closeWorker(await startWorker(draft));
  await rename(draft, dataDir);
}

async function startWorker(dataDir: string): Promise<Worker> {
  // Flags of the process (`--input-type`, a test runner's loader) are not meant for this thread and may stop it.
  const worker = new Worker(WORKER, { workerData: dataDir, execArgv: [] });
  // It says when it is open; rejects when the thread fails first.
  await once(worker, 'message');
  return worker;
}

async function closeWorker(worker: Worker): Promise<void> {
  const exited = once(worker, 'exit');
  worker.ref();
  worker.postMessage(null);
  await exited;
}

/** A simple query of the Postgres protocol. */
function queryMessage(sql: string): Uint8Array {
  const text = Buffer.from(`${sql}\0`);
  const message = new Uint8Array(5 + text.length);
  message[0] = 'Q'.charCodeAt(0);
  new DataView(message.buffer).setInt32(1, 4 + text.length);
  message.set(text, 5);
  return message;
}

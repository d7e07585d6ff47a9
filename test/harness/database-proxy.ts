import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { ProtocolTap } from './protocol-tap.js';

/**
 * What happens to the next COMMIT of a transaction that wrote messages, or sent the text that is asked for:
 * - `lose-writes`: not even what was to be written arrives: the connection breaks after what was read before it;
 * - `lose-answer`: Postgres commits, the connection breaks before the server hears so;
 * - `lose-commit`: both sides break before Postgres sees it;
 * - `strand`: the same, but the side of Postgres stays open, as behind a dead network: the transaction keeps its locks;
 * - `mute-answer`, `mute-commit`: it gets this far and no further, and nothing breaks: time to kill the server.
 */
export type CommitFault =
  'lose-writes' | 'lose-answer' | 'lose-commit' | 'strand' | 'mute-answer' | 'mute-commit';

/** Decided on what was read, or on what was known. */
export const WRITES_MESSAGES = /batch-insert-messages|batch-if-unchanged/;
/** The statement, and what answers it. */
const COMMIT = 'COMMIT\0';
/** Letter and length before the text of a simple query. */
const QUERY_HEADER_BYTES = 5;

/** A TCP proxy before Postgres that listens in, and breaks connections at the worst moment. */
export class DatabaseProxy {
  /** Of every connection there has been. */
  readonly taps: ProtocolTap[] = [];
  private server: Server | undefined;
  private port = 0;
  private readonly sockets = new Set<Socket>();
  private armed: { fault: CommitFault; after: RegExp; hit: () => void } | undefined;

  private constructor(private readonly target: URL) {}

  static async before(databaseUrl: string): Promise<DatabaseProxy> {
    const proxy = new DatabaseProxy(new URL(databaseUrl));
    await proxy.start();
    return proxy;
  }

  get url(): string {
    const url = new URL(this.target);
    url.host = `127.0.0.1:${String(this.port)}`;
    return url.href;
  }

  /** Resolves when it happened; with an `-answer`, when Postgres has committed. */
  breakNextCommit(fault: CommitFault, after: RegExp = WRITES_MESSAGES): Promise<void> {
    return new Promise((hit) => {
      this.armed = { fault, after, hit };
    });
  }

  async start(): Promise<void> {
    this.server = createServer((client) => this.accept(client)).listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  /** Connections break, new ones are refused. */
  async stop(): Promise<void> {
    const closed = this.server?.listening ? once(this.server, 'close') : undefined;
    this.server?.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private accept(client: Socket): void {
    const upstream = connect(Number(this.target.port || 5432), this.target.hostname);
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.sockets.delete(socket));
    }
    const tap = new ProtocolTap();
    this.taps.push(tap);
    let wrote = false;
    let struck: { fault: CommitFault; hit: () => void } | undefined;
    client.on('close', () => {
      if (struck?.fault !== 'strand') upstream.destroy();
    });
    upstream.on('close', () => client.destroy());
    upstream.on('data', (chunk) => {
      tap.fromServer(chunk);
      if (!struck) {
        client.write(chunk);
        return;
      }
      // The statements before it are answered first.
      if (!struck.fault.endsWith('-answer') || !chunk.includes(COMMIT)) return;
      struck.hit();
      if (struck.fault === 'lose-answer') end();
    });
    client.on('data', (chunk) => {
      if (struck) return;
      tap.fromClient(chunk);
      wrote ||= this.armed !== undefined && this.armed.after.test(chunk.toString('latin1'));
      const at = wrote && this.armed ? strikesAt(this.armed.fault, chunk) : -1;
      if (at >= 0) {
        wrote = false;
        struck = this.armed;
        this.armed = undefined;
      }
      if (!struck || struck.fault.endsWith('-answer')) {
        upstream.write(chunk);
        return;
      }
      upstream.write(chunk.subarray(0, at));
      struck.hit();
      if (struck.fault === 'strand') client.destroy();
      else if (struck.fault.startsWith('lose-')) end();
    });
  }
}

/** What comes before is let through: the last statements, which leave together with COMMIT, arrive in any case. */
function strikesAt(fault: CommitFault, chunk: Buffer): number {
  return fault === 'lose-writes' ? 0 : chunk.indexOf(COMMIT) - QUERY_HEADER_BYTES;
}

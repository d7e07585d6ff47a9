import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * What happens to the next COMMIT of a transaction that wrote messages, or sent the statement that is asked for:
 * - `lose-answer`: Postgres commits, the connection breaks before the server hears so;
 * - `lose-commit`: both sides break before Postgres sees it;
 * - `strand`: the same, but the side of Postgres stays open, as behind a dead network: the transaction keeps its locks;
 * - `mute-answer`, `mute-commit`: it gets this far and no further, and nothing breaks: time to kill the server.
 */
export type CommitFault = 'lose-answer' | 'lose-commit' | 'strand' | 'mute-answer' | 'mute-commit';

/** A TCP proxy before Postgres that breaks connections at the worst moment. */
export class DatabaseProxy {
  private server: Server | undefined;
  private port = 0;
  private readonly sockets = new Set<Socket>();
  private armed: { fault: CommitFault; after: string; hit: () => void } | undefined;

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
  breakNextCommit(fault: CommitFault, after = 'INSERT INTO messages'): Promise<void> {
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
    let wrote = false;
    let struck: { fault: CommitFault; hit: () => void } | undefined;
    client.on('close', () => {
      if (struck?.fault !== 'strand') upstream.destroy();
    });
    upstream.on('close', () => client.destroy());
    upstream.on('data', (chunk) => {
      struck?.hit();
      if (!struck) client.write(chunk);
      else if (struck.fault === 'lose-answer') end();
    });
    client.on('data', (chunk) => {
      if (struck) return;
      if (this.armed && chunk.includes(this.armed.after)) wrote = true;
      if (wrote && chunk.includes('COMMIT\0')) {
        wrote = false;
        struck = this.armed;
        this.armed = undefined;
      }
      if (!struck || struck.fault.endsWith('-answer')) {
        upstream.write(chunk);
        return;
      }
      struck.hit();
      if (struck.fault === 'lose-commit') end();
      else if (struck.fault === 'strand') client.destroy();
    });
  }
}

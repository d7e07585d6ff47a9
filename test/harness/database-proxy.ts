import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * What happens to the next COMMIT of a transaction that wrote messages:
 * - `lose-answer`: the server commits, the client's connection breaks before it hears so;
 * - `lose-commit`: both connections break before the server sees it;
 * - `strand`: the same, but the server's side stays open, as behind a dead network: the transaction keeps its locks.
 */
export type CommitFault = 'lose-answer' | 'lose-commit' | 'strand';

/** A TCP proxy before Postgres that breaks connections at the worst moment. */
export class DatabaseProxy {
  private server: Server | undefined;
  private port = 0;
  private readonly sockets = new Set<Socket>();
  private fault: CommitFault | undefined;
  /** COMMITs that were hit. */
  hits = 0;

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

  breakNextCommit(fault: CommitFault): void {
    this.fault = fault;
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
    let deaf = false;
    let stranded = false;
    client.on('close', () => {
      if (!stranded) upstream.destroy();
    });
    upstream.on('close', () => client.destroy());
    upstream.on('data', (chunk) => {
      if (deaf) end();
      else client.write(chunk);
    });
    client.on('data', (chunk) => {
      if (stranded) return;
      if (chunk.includes('INSERT INTO messages')) wrote = true;
      const commits = wrote && chunk.includes('COMMIT\0');
      if (commits) wrote = false;
      const fault = commits ? this.fault : undefined;
      if (fault) {
        this.fault = undefined;
        this.hits += 1;
        if (fault === 'lose-commit') return end();
        stranded = fault === 'strand';
        deaf = true;
        if (stranded) {
          client.destroy();
          return;
        }
      }
      upstream.write(chunk);
    });
  }
}

import type { Load } from './generator/orders.js';
import type { TrafficName } from './generator/traffic.js';
import { LoadedServer, type Bed, type Run, type ServerSpec } from './loaded-server.js';

/** The product and what it is compared with: a peer, or itself with less work to do. */
export interface PairSpec {
  product: ServerSpec;
  peer: ServerSpec;
}

/** The same work on both, each in its own words. */
export interface PairWork {
  load: Load;
  /** Of the peer, where it is another. */
  peerLoad?: Load;
  traffic: { product: TrafficName; peer: TrafficName };
}

/** The runs of both servers under the same load, in the order in which they took turns. */
export interface Duel {
  load: Load;
  product: Run[];
  peer: Run[];
}

type Side = keyof PairSpec;

/** Two servers, both up and all clients connected all the time, loaded in turn. */
export class Pair {
  private constructor(
    private readonly runs: number,
    private readonly servers: Record<Side, LoadedServer>,
  ) {}

  static async open(bed: Bed, runs: number, spec: PairSpec): Promise<Pair> {
    const product = await LoadedServer.start(bed, 'product', spec.product);
    try {
      const peer = await LoadedServer.start(bed, 'peer', spec.peer);
      try {
        await product.connect();
        await peer.connect();
        return new Pair(runs, { product, peer });
      } catch (error) {
        await peer.close();
        throw error;
      }
    } catch (error) {
      await product.close();
      throw error;
    }
  }

  /** A B A B: what the machine does meanwhile hits both. */
  async duel(work: PairWork): Promise<Duel> {
    const product: Run[] = [];
    const peer: Run[] = [];
    for (let count = 0; count < this.runs; count += 1) {
      product.push(await this.run('product', work));
      peer.push(await this.run('peer', work));
    }
    return { load: work.load, product, peer };
  }

  run(side: Side, { load, peerLoad = load, traffic }: PairWork): Promise<Run> {
    return this.servers[side].run({ load: side === 'peer' ? peerLoad : load, traffic: traffic[side] });
  }

  async close(): Promise<void> {
    try {
      await this.servers.product.close();
    } finally {
      await this.servers.peer.close();
    }
  }
}

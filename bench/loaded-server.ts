import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { Postgres } from './database/postgres.js';
import type { Generator } from './generator/generator.js';
import type { Load, Measured } from './generator/orders.js';
import type { TrafficName } from './generator/traffic.js';
import type { WireName } from './generator/wire.js';
import { postgresTime, processorTime, residentBytes, spent } from './processor-time.js';
import { startServer, type Contender, type ServerName } from './servers/contenders.js';
import { tokenOf, type Person } from './servers/people.js';

/** A server, who is in its database, and who connects to it. */
export interface ServerSpec {
  server: ServerName;
  /** What the log calls it, when its name is not enough. */
  label?: string;
  people: readonly Person[];
  /** Those who connect, with the rooms they write to; everybody when absent. */
  clients?: readonly Person[];
  /** Deliveries one message must cause. */
  audience?: number;
  /** Spoken in place of the server's usual one. */
  wire?: WireName;
  /** Messages in the room that is read. */
  stored?: number;
  /** More rows, after the people and before anybody connects. */
  fill?: (client: pg.Client) => Promise<void>;
}

/** What a run does. */
export interface Work {
  load: Load;
  traffic: TrafficName;
}

/** One run of one server, with what it cost there. */
export interface Run extends Measured {
  /** CPU in the measured time, ms. */
  cpu: { server: number; postgres: number };
}

/** What all servers of a benchmark are measured with. */
export interface Bed {
  postgres: Postgres;
  generator: Generator;
  /** Measured time of a run. */
  seconds: number;
}

const WARM_UP_MS = 1000;
/** Deliveries are timed at these many receivers. */
const SAMPLED = 8;
/** Files a process has open beside its connections, with much to spare. */
const OTHER_FILES = 200;
const SETTLED_SECONDS = 10;
const SETTLED_SHARE = 0.01;
const SETTLING_SECONDS = 120;

/** One server under test with all of its clients. */
export class LoadedServer {
  private constructor(
    private readonly bed: Bed,
    private readonly side: string,
    private readonly spec: ServerSpec,
    private readonly contender: Contender,
  ) {}

  /** `side` is its name in the generator, of its own among those that are up. */
  static async start(bed: Bed, side: string, spec: ServerSpec): Promise<LoadedServer> {
    const contender = await startServer(bed.postgres, spec.server, spec.people, spec.fill);
    return new LoadedServer(bed, side, spec, contender);
  }

  async connect(): Promise<{ seconds: number; cpuMs: number }> {
    const { server, wire } = this.contender;
    const { people, clients = people } = this.spec;
    assertOpenFiles(clients.length);
    const every = Math.max(1, Math.floor(clients.length / SAMPLED));
    const specs = clients.map((person, index) => ({
      token: tokenOf(person),
      rooms: person.rooms,
      // Spread over all: a server tells them in some order. Not the first ones, who send.
      sampled: index % every === every - 1,
    }));
    const before = processorTime(server.pid);
    const startedAt = performance.now();
    await this.bed.generator.connect(this.side, server.port, this.spec.wire ?? wire, specs);
    const seconds = (performance.now() - startedAt) / 1000;
    this.log(`${clients.length} clients connected in ${seconds.toFixed(1)} s`);
    return { seconds, cpuMs: processorTime(server.pid) - before };
  }

  async run({ load, traffic }: Work): Promise<Run> {
    const { server, database = '' } = this.contender;
    const { postmaster } = this.bed.postgres;
    let before = { server: NaN, postgres: new Map<number, number>() };
    let cpu = { server: NaN, postgres: NaN };
    const spec = {
      traffic,
      load,
      audience: this.spec.audience ?? 0,
      stored: this.spec.stored ?? 0,
      warmUpMs: WARM_UP_MS,
      measureMs: this.bed.seconds * 1000,
    };
    const measured = await this.bed.generator.run(this.side, spec, {
      begins: () => {
        before = { server: processorTime(server.pid), postgres: postgresTime(postmaster, database) };
      },
      ends: () => {
        cpu = {
          server: processorTime(server.pid) - before.server,
          postgres: spent(before.postgres, postgresTime(postmaster, database)),
        };
      },
    });
    const run = { ...measured, cpu };
    this.log(summary(run));
    return run;
  }

  /** CPU while nobody does anything, as a share of a core. */
  async idle(seconds: number): Promise<number> {
    const before = processorTime(this.contender.server.pid);
    const startedAt = performance.now();
    await pause(seconds * 1000);
    return (processorTime(this.contender.server.pid) - before) / (performance.now() - startedAt);
  }

  /** Resident memory in bytes, once it has stopped moving: connections come with garbage, which is collected later. */
  async settledMemory(): Promise<number> {
    const seen: number[] = [];
    for (let second = 0; second < SETTLING_SECONDS; second += 1) {
      seen.push(residentBytes(this.contender.server.pid));
      const last = seen.slice(-SETTLED_SECONDS);
      const moved = Math.max(...last) - Math.min(...last);
      if (last.length === SETTLED_SECONDS && moved < SETTLED_SHARE * Math.max(...last))
        return last.at(-1) ?? NaN;
      await pause(1000);
    }
    throw new Error(`The memory of ${this.name} does not settle: ${seen.slice(-SETTLED_SECONDS).join(', ')}`);
  }

  async close(): Promise<void> {
    try {
      await this.bed.generator.disconnect(this.side);
    } finally {
      await this.contender.stop();
    }
  }

  private get name(): string {
    return this.spec.label ?? this.spec.server;
  }

  private log(text: string): void {
    console.log(`  ${this.name.padEnd(9)} ${text}`);
  }
}

/** Node has raised its own limit as far as it may. */
function assertOpenFiles(connections: number): void {
  const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
  if (limit !== undefined && Number(limit) < connections + OTHER_FILES)
    throw new Error(`${connections} connections need more open files than ${limit}: see ulimit -n`);
}

function summary({ acked, deliveries, seconds, toAck, toDelivery, generator, cpu }: Run): string {
  const perSecond = (count: number) => `${Math.round(count / seconds)}/s`;
  const latency = ({ p50, p99 }: Measured['toAck']) => `${p50.toFixed(1)}/${p99.toFixed(1)} ms`;
  const share = (ms: number) => `${Math.round(ms / 10 / seconds)} %`;
  return [
    `acked ${perSecond(acked)}`,
    ...(deliveries > 0
      ? [`delivered ${perSecond(deliveries)}`, `delivery p50/p99 ${latency(toDelivery)}`]
      : []),
    `ack p50/p99 ${latency(toAck)}`,
    `CPU server ${share(cpu.server)}, Postgres ${share(cpu.postgres)}, generator ${share(generator.cpu * 1000 * seconds)}`,
    `generator lag p99 ${generator.lagMs.toFixed(0)} ms`,
  ].join(', ');
}

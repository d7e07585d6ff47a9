import { rowOf, type Question } from '../row.js';
import type { Bench, Scenario } from '../scenario.js';
import { peopleInRooms } from '../servers/people.js';

const CONNECTIONS = 5000;
const MEMBERS = 100;
/** The time between two heartbeats of a connection: each has one in it. */
const IDLE_SECONDS = 25;

interface Idle {
  /** Resident memory in kB, for each connection more than before the first. */
  memory: number;
  connectsPerSecond: number;
  cpuPerConnectMs: number;
  /** Per cent of a core. */
  idleCpu: number;
}

interface Figure extends Pick<Question, 'unit' | 'better' | 'bounds'> {
  name: string;
  of: (run: Idle) => number;
}
const FIGURES: Figure[] = [
  {
    name: 'memory (RSS) of an idle connection',
    of: ({ memory }) => memory,
    unit: 'kB',
    better: 'lower',
    bounds: { of: 'product', must: 20, aim: 13 },
  },
  { name: 'connecting', of: ({ connectsPerSecond }) => connectsPerSecond, unit: 'connects/s' },
  { name: 'CPU of a connect', of: ({ cpuPerConnectMs }) => cpuPerConnectMs, unit: 'ms', better: 'lower' },
  { name: 'CPU while idle', of: ({ idleCpu }) => idleCpu, unit: '% of a core', better: 'lower' },
];

/** People who are there and do nothing. Memory is never given back as it was: each run has a new server. */
export const idle: Scenario = {
  name: 'idle',
  about: '5,000 connections that do nothing: memory, connects/s, CPU; beside the tutorial',
  async run(bench) {
    for (const connections of bench.sizes.connections ?? [CONNECTIONS]) {
      const product: Idle[] = [];
      const peer: Idle[] = [];
      for (let count = 0; count < bench.settings.runs; count += 1) {
        product.push(await measure(bench, 'product', connections));
        peer.push(await measure(bench, 'tutorial', connections));
      }
      for (const { name, of, ...figure } of FIGURES)
        bench.add(
          rowOf({ product, peer }, of, {
            scenario: 'idle',
            work: `${name}, ${connections} connections`,
            peer: 'tutorial',
            ...figure,
          }),
        );
    }
  },
};

async function measure(bench: Bench, server: 'product' | 'tutorial', connections: number): Promise<Idle> {
  const people = peopleInRooms(Math.ceil(connections / MEMBERS), MEMBERS).slice(0, connections);
  return bench.withServer({ server, people }, async (loaded) => {
    const empty = await loaded.settledMemory();
    const { seconds, cpuMs } = await loaded.connect();
    const full = await loaded.settledMemory();
    const measured = {
      memory: (full - empty) / 1000 / connections,
      connectsPerSecond: connections / seconds,
      cpuPerConnectMs: cpuMs / connections,
      idleCpu: (await loaded.idle(IDLE_SECONDS)) * 100,
    };
    const mb = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
    console.log(
      `  ${server.padEnd(9)} ${mb(empty)} before, ${mb(full)} after: ${measured.memory.toFixed(1)} kB a connection, idle ${measured.idleCpu.toFixed(1)} % of a core`,
    );
    return measured;
  });
}

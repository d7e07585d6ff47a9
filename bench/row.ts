import type { Run } from './loaded-server.js';
import type { Duel } from './pair.js';
import type { PeerName } from './servers/contenders.js';
import { spread, type Spread } from './statistics.js';

/** Above it the generator bounds a run, not the server. */
const GENERATOR_BOUND = 0.8;

/** What a line of the table is about, and what it is held to. */
export interface Question {
  scenario: string;
  work: string;
  /** `itself`: the product with less work to do. */
  peer: PeerName | 'itself';
  unit: string;
  better?: 'higher' | 'lower';
  /** Bounds of the ratio, or of the product's own figure in its unit. Without them the line is for information. */
  bounds?: { of: 'ratio' | 'product'; must: number; aim: number };
}

/** One line of the table: a figure of the product against the same of its peer. */
export interface Row extends Question {
  better: 'higher' | 'lower';
  product: Spread;
  peerValue: Spread;
  /** Product by peer, of the runs that followed each other. */
  ratio: Spread;
  /** Share of a core, the highest of any run. */
  generatorCpu?: { product: number; peer: number };
  notes: string[];
  /** Microseconds of CPU, medians. */
  cost?: Record<'product' | 'peer', Cost>;
  runs: { product: readonly object[]; peer: readonly object[] };
}

interface Cost {
  serverPerAck: number;
  serverPerDelivery: number;
  postgresPerAck: number;
}

export const perSecond = {
  acks: (run: Run) => run.acked / run.seconds,
  deliveries: (run: Run) => run.deliveries / run.seconds,
};
/** Microseconds. */
export const serverCpu = {
  perAck: ({ cpu, acked }: Run) => (cpu.server * 1000) / acked,
  perDelivery: ({ cpu, deliveries }: Run) => (cpu.server * 1000) / deliveries,
};

/** A figure of whatever was measured on both, run by run. */
export function rowOf<R extends object>(
  runs: { product: readonly R[]; peer: readonly R[] },
  of: (run: R) => number,
  question: Question,
): Row {
  const product = runs.product.map(of);
  const peer = runs.peer.map(of);
  return {
    better: 'higher',
    ...question,
    product: spread(product),
    peerValue: spread(peer),
    ratio: spread(product.map((value, index) => value / (peer[index] ?? NaN))),
    notes: [],
    runs,
  };
}

/** The same of runs under load, with what they cost and whether the generator could keep up. */
export function duelRow(duel: Duel, of: (run: Run) => number, question: Question): Row {
  const row = rowOf(duel, of, question);
  const busiest = (runs: readonly Run[]) => Math.max(...runs.map(({ generator }) => generator.cpu));
  const generatorCpu = { product: busiest(duel.product), peer: busiest(duel.peer) };
  return {
    ...row,
    generatorCpu,
    notes: [...row.notes, ...generatorNotes(row.better, generatorCpu)],
    cost: { product: costOf(duel.product), peer: costOf(duel.peer) },
  };
}

export type Verdict = 'aim reached' | 'reached' | 'missed';

export function verdictOf({ bounds, better, ...row }: Row): Verdict | undefined {
  if (!bounds) return undefined;
  const { median } = bounds.of === 'ratio' ? row.ratio : row.product;
  const reaches = (bound: number) => (better === 'higher' ? median >= bound : median <= bound);
  if (!reaches(bounds.must)) return 'missed';
  return reaches(bounds.aim) ? 'aim reached' : 'reached';
}

/** What is higher the better could be higher still; of times and costs nothing follows but that the machine was full. */
function generatorNotes(better: 'higher' | 'lower', cpu: { product: number; peer: number }): string[] {
  const isBusy = { product: cpu.product > GENERATOR_BOUND, peer: cpu.peer > GENERATOR_BOUND };
  if (better === 'lower') return isBusy.product || isBusy.peer ? ['the generator is busy'] : [];
  return [
    ...(isBusy.product ? ['lower bound: the generator is busy'] : []),
    ...(isBusy.peer ? ['the generator bounds the peer'] : []),
  ];
}

function costOf(runs: readonly Run[]): Cost {
  const median = (of: (run: Run) => number) => spread(runs.map(of)).median;
  return {
    serverPerAck: median(serverCpu.perAck),
    serverPerDelivery: median(serverCpu.perDelivery),
    postgresPerAck: median(({ cpu, acked }) => (cpu.postgres * 1000) / acked),
  };
}

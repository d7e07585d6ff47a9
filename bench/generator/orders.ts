/** What the benchmark and its generator tell each other over the channel between their processes. */
import type { TrafficName } from './traffic.js';
import type { WireName } from './wire.js';

export interface ClientSpec {
  token: string;
  /** Joined at the start where the server does not do it, and sent to in turn. */
  rooms: string[];
  /** Its deliveries are timed. */
  sampled: boolean;
}

/** Closed: each sender keeps as many in flight. Open: a fixed rate over all senders, whatever the answers do. */
export type Load = { senders: number } & (
  { loop: 'closed'; inFlight: number } | { loop: 'open'; perSecond: number }
);

export interface RunSpec {
  traffic: TrafficName;
  load: Load;
  /** Deliveries one message must cause. */
  audience: number;
  /** Messages in the room that is read. */
  stored: number;
  warmUpMs: number;
  measureMs: number;
}

export type Order =
  | { does: 'connect'; side: string; port: number; wire: WireName; clients: ClientSpec[] }
  | { does: 'run'; side: string; spec: RunSpec }
  | { does: 'disconnect'; side: string };

/** Milliseconds. */
export interface Latency {
  count: number;
  p50: number;
  p99: number;
  max: number;
}

/** One measured run, as the generator saw it. Counts are those inside the measured time. */
export interface Measured {
  seconds: number;
  acked: number;
  deliveries: number;
  /** From the (intended) time of sending. */
  toAck: Latency;
  /** The same, at the sampled receivers. */
  toDelivery: Latency;
  /** Of the whole run, warm-up and drain included: each was delivered to its whole audience. */
  ackedInAll: number;
  /** Frames that are neither. */
  others: number;
  generator: {
    /** Share of a core. */
    cpu: number;
    /** p99 of the delay of its event loop, ms. */
    lagMs: number;
  };
}

export type Answer =
  | { tells: 'ready' }
  | { tells: 'measuring' }
  | { tells: 'measured' }
  | { tells: 'done'; measured: Measured }
  | { tells: 'problem'; problem: string };

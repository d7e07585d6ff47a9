import type { LoadedServer, ServerSpec } from './loaded-server.js';
import type { Pair, PairSpec } from './pair.js';
import type { Row } from './row.js';

export interface Settings {
  /** Of each server, in turn. */
  runs: number;
  /** Measured time of a run. */
  seconds: number;
  fsyncDelayMs: number;
}

/** Sizes given on the command line, in place of the scenario's own. */
export type Sizes = Partial<Record<'rooms' | 'receivers' | 'connections' | 'messages', number[]>>;

/** What a scenario works with. */
export interface Bench {
  readonly settings: Settings;
  readonly sizes: Sizes;
  /** Starts both servers and connects all clients; stops them when `work` is done. */
  withPair(spec: PairSpec, work: (pair: Pair) => Promise<void>): Promise<void>;
  /** Starts one server, to which nobody is connected yet; stops it when `work` is done. */
  withServer<T>(spec: ServerSpec, work: (server: LoadedServer) => Promise<T>): Promise<T>;
  /** A finished line of the table. */
  add(row: Row): void;
}

/** One kind of work. To add one: a file in `scenarios/`, and its line in `scenarios/all.ts`. */
export interface Scenario {
  name: string;
  /** One line for `--help`. */
  about: string;
  run(bench: Bench): Promise<void>;
}

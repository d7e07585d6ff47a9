/** Every wait of the library, in milliseconds. Change them for tests, or for networks with other manners. */
export interface Timing {
  /** Default patience for one command, the wait for a connection included. */
  commandMs: number;
  /** Patience for one connection attempt, from opening the transport to `session:ready`, and for joining one more namespace. */
  connectMs: number;
  /** Retries wait a random time between 0 and `baseMs * 2^attempt`, at most `maxMs` ("full jitter"). */
  retryBaseMs: number;
  retryMaxMs: number;
  /** How long a missing event of a room may still arrive by itself before it is fetched. */
  holeGraceMs: number;
  /** How often the positions of joined rooms are compared with the server's. */
  positionsMs: number;
  /** `presence.activity()` is sent at most once in this time. */
  activityMs: number;
}

export const TIMING: Timing = {
  commandMs: 15_000,
  connectMs: 20_000,
  retryBaseMs: 1000,
  retryMaxMs: 30_000,
  holeGraceMs: 300,
  positionsMs: 30_000,
  activityMs: 60_000,
};

/** The wait before retry number `attempt` (0 is the first): full jitter, so that many clients do not come back at once. */
export const jitter = (timing: Timing, attempt: number): number =>
  Math.random() * Math.min(timing.retryMaxMs, timing.retryBaseMs * 2 ** Math.min(attempt, 30));

/** The wait the server asked for, and a little more, so that those who were refused together do not return together. */
export const obeying = (timing: Timing, retryAfterMs: number): number =>
  retryAfterMs + Math.random() * timing.retryBaseMs * 0.25;

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

export interface Window {
  readonly limit: number;
  readonly windowMs: number;
}

/** What became of one hit. */
export interface Hit {
  readonly allowed: boolean;
  /** Milliseconds after which the next hit can be allowed; 0 when this one was. */
  readonly retryAfterMs: number;
  /** Further hits the window has room for. */
  readonly remaining: number;
  /** Milliseconds after which the oldest hit leaves the window and gives its place back. */
  readonly resetMs: number;
}

/**
 * Counts hits per scope and subject in a window that slides. Every implementation guarantees:
 * - in any span of `windowMs` at most `limit` hits of a subject are allowed;
 * - a hit is atomic: two at once never share the last place;
 * - a refused hit is not counted, so hammering does not lengthen the wait;
 * - a subject without a hit for `windowMs` costs nothing for long.
 * Counts may be lost when the store restarts: it protects, it does not account.
 * A scope always comes with the same `windowMs`.
 */
export abstract class SlidingWindowStore {
  /** At once where the counts are at hand: this stands on the way of every command. */
  abstract hit(scope: string, subject: string, window: Window): Hit | Promise<Hit>;
}

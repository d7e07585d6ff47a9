import type { TellQuota } from '../platform/throttling/throttle.js';

/** Who asks where nobody is signed in yet. */
export interface Caller {
  /** What limits are counted by, see `addressKey`. */
  readonly address: string;
  readonly userAgent: string | null;
  /** How the answer tells where the caller stands in the limits. */
  readonly tellQuota: TellQuota;
}

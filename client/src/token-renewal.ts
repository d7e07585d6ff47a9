import { ParleyError } from './errors.js';
import { jitter, sleep, type Timing } from './timing.js';

/** What a renewal needs of the connection. */
export interface RenewalWire {
  /** Gets a new token, and gives it to the server. */
  refresh: () => Promise<void>;
  /** Resolves while connected; rejects with CLOSED. */
  whenReady: () => Promise<unknown>;
  /** Which connection there is, of all there were. */
  attempt: () => number;
  timing: Timing;
}

/** Attempts to renew the token of a living connection; after them its end brings a new one. */
const RENEWALS = 5;

/** Renews the token of the living connection, for all its namespaces: each of them warns, one renewal serves all. */
export class TokenRenewal {
  private renewing?: Promise<void>;
  /** The connection whose token is being renewed because it was warned. */
  private renewalOf?: number;

  constructor(private readonly wire: RenewalWire) {}

  renew(): Promise<void> {
    this.renewing ??= this.wire.refresh().finally(() => (this.renewing = undefined));
    return this.renewing;
  }

  /** `session:expiring`, in any namespace. */
  expiring(): void {
    const attempt = this.wire.attempt();
    if (this.renewalOf === attempt) return;
    this.renewalOf = attempt;
    void this.renewUntilDone(attempt).finally(() => {
      if (this.renewalOf === attempt) this.renewalOf = undefined;
    });
  }

  /** The warning may come before `session:ready`, as with a token that was nearly over: then it waits for that. */
  private async renewUntilDone(attempt: number): Promise<void> {
    for (let failures = 0; failures < RENEWALS; failures += 1) {
      try {
        await this.wire.whenReady();
        // Another connection is warned by itself.
        if (attempt === this.wire.attempt()) await this.renew();
        return;
      } catch (error) {
        const failure = ParleyError.from(error);
        if (!failure.retryable) return;
        await sleep(jitter(this.wire.timing, failures));
      }
    }
  }
}

import type { Transaction } from '../platform/database/unit-of-work.js';

/** Port through which notifications learn who can be told outside the inbox; `delivery` implements it, so that they do not know it. */
export abstract class OutsideChannels {
  /** Those of these users who have somewhere to be told at: a browser that takes pushes, or an address that is theirs. */
  abstract among(tx: Transaction, userIds: readonly string[]): Promise<ReadonlySet<string>>;
}

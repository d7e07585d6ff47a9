import { Injectable } from '@nestjs/common';
import { ADVISORY_LOCKS } from '../platform/database/advisory-locks.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { EVERYWHERE } from './restriction.entity.js';
import { RoomTurns } from './room-turns.js';

/** In a statement of its own, before restrictions or rules are read: what was committed while it waited is seen. */
export const HOLD_MODERATION = `pg_advisory_xact_lock_shared(${String(ADVISORY_LOCKS.moderation)})`;

/** As long as one attempt may wait, in which those who come to write wait behind it: they have half of the time. */
const PAUSE_MS = 250;

/**
 * The lock between moderation and writing. Who writes holds it shared, from before they read what is forbidden until
 * COMMIT; who forbids something in every room takes it alone. So nothing that was decided on the old rules is committed
 * after an act of moderation was. What concerns one room is ordered by the lock of that room.
 */
@Injectable()
export class ModerationLock {
  constructor(private readonly turns: RoomTurns) {}

  /** Until the transaction ends nothing that holds everywhere begins or ends. */
  async hold(tx: Transaction): Promise<void> {
    await tx.manager.query(`SELECT ${HOLD_MODERATION}`);
  }

  /**
   * A unit of work for which those who are writing are waited for, and others kept from it. Postgres puts whoever comes
   * behind this request, so it is made like one for a room: briefly, and again. One writer that is stuck stops no other.
   */
  alone<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const locked = async (tx: Transaction) => {
      await tx.manager.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.moderation]);
      return work(tx);
    };
    return this.turns.run(EVERYWHERE, locked, PAUSE_MS);
  }
}

import { Injectable } from '@nestjs/common';
import { inDoubt } from '../platform/database/commit-in-doubt.js';
import { AppError } from '../platform/errors/app-error.js';
import { sqlStateOf } from '../platform/errors/database-error.js';
import { Outbox } from '../platform/outbox/outbox.js';
import { BatchIfUnchanged } from './batch-if-unchanged.repository.js';
import { byRoom, createdIn, type Decided } from './batch-outcome.js';
import { pairKey, type LedgerState, type RoomState } from './batch-state.js';
import { insertMentions, insertMessages, moveRooms, moveSenders } from './batch-write.repository.js';
import { CurrentFilter } from './current-filter.js';
import { KnownRooms, type Assumed } from './known-rooms.js';
import type { MessageChange } from './message-change.js';
import { MessageLedger, type Verdict } from './message-ledger.js';

type Sent = Extract<Verdict, { kind: 'sent' }>;

/**
 * Most batches find their rooms as the last one left them. Such a batch is decided on what is known of them, and goes to the
 * database in one round trip: the locks, and a statement that compares what was assumed and writes only if it holds.
 */
@Injectable()
export class OptimisticBatches {
  constructor(
    private readonly rows: BatchIfUnchanged,
    private readonly known: KnownRooms,
    private readonly filter: CurrentFilter,
    private readonly outbox: Outbox,
  ) {}

  /** Undefined when these have to be decided on what is read: nothing is written then. Fails as any batch does. */
  async write(changes: readonly MessageChange[]): Promise<Decided | undefined> {
    const recalled = this.known.recall(changes);
    if (!recalled) return undefined;
    const { version: filterVersion, filter } = this.filter.known;
    const assumed = { ...recalled, filterVersion };
    const state = ledgerState(assumed);
    const ledger = new MessageLedger(state, filter);
    const verdicts = changes.map((change) => ledger.decide(change));
    // A refusal, or a repetition, is told on what is true and not on what is assumed.
    if (ledger.inserted.length < changes.length) return undefined;
    const now = await this.commit(changes, assumed, ledger, [...state.rooms.values()]);
    if (!now) return undefined;
    ledger.stamp(now, verdicts);
    this.known.confirm(state.rooms.values());
    this.outbox.appended(ledger.facts);
    return { verdicts: verdicts as Sent[], changes: byRoom(createdIn(ledger)) };
  }

  /** When, or undefined if nothing was written, because something is not as assumed. */
  private async commit(
    changes: readonly MessageChange[],
    assumed: Assumed,
    ledger: MessageLedger,
    rooms: readonly RoomState[],
  ): Promise<Date | undefined> {
    const writes = [
      insertMessages(ledger, null),
      moveSenders(ledger, null),
      moveRooms(rooms),
      insertMentions(ledger),
      this.outbox.insertion(ledger.facts),
    ];
    try {
      const { now, changed } = await this.rows.write(assumed, writes);
      if (changed.size === 0) return now;
      this.known.surprised(changed, assumed);
      return undefined;
    } catch (error) {
      // The same clientMessageId is there already: with what it was answered has to be read.
      if (sqlStateOf(error) === '23505') return undefined;
      this.known.forget(assumed.rooms.map(({ id }) => id));
      if (!inDoubt(error)) throw error;
      for (const change of changes) if (change.kind === 'send') change.inDoubt = true;
      throw new AppError('UNAVAILABLE', 'The connection to the database was lost', { cause: error });
    }
  }
}

/** Copies: what is known stays as it is until the batch is committed. */
function ledgerState({ rooms, members, filterVersion }: Assumed): LedgerState {
  return {
    // Of this process, until the database has told the time.
    now: new Date(),
    filterVersion,
    rooms: new Map(rooms.map((room) => [room.id, { ...room }])),
    members: new Map(members.map((member) => [pairKey(member.roomId, member.userId), { ...member }])),
    suspended: new Set(),
    administrators: new Set(),
    targets: new Map(),
    firstSends: new Map(),
    kept: new Map(),
    reactions: new Set(),
  };
}

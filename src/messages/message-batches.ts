import { Injectable } from '@nestjs/common';
import type { Message } from '../contract/views.js';
import { AuditLog, type ActOf } from '../audit/audit-log.service.js';
import type { Statement } from '../platform/database/pipelined-transaction.js';
import { UnitOfWork, type Transaction } from '../platform/database/unit-of-work.js';
import { Metrics } from '../platform/metrics/metrics.js';
import { Outbox } from '../platform/outbox/outbox.js';
import { BatchLocks, START_BATCH } from './batch-locks.repository.js';
import { byRoom, committed, createdIn, type Decided, type Outcome } from './batch-outcome.js';
import type { LedgerState } from './batch-state.js';
import { BatchStateReader } from './batch-state.repository.js';
import { newcomersOf, readBack, readNewcomers } from './batch-targets.repository.js';
import { writeBatch } from './batch-write.repository.js';
import { CurrentFilter } from './current-filter.js';
import { KnownRooms } from './known-rooms.js';
import type { MessageChange } from './message-change.js';
import { MessageLedger, type ModeratedDeletion, type Verdict } from './message-ledger.js';
import { messageView, type MessageRow } from './message.view.js';
import type { CommittedChange } from './messages.events.js';
import { OptimisticBatches } from './optimistic-batches.js';

const NONE: ReadonlyMap<string, Message> = new Map();

/** Writes a batch of changes, of one or of five hundred, in one transaction. */
@Injectable()
export class MessageBatches {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly optimistic: OptimisticBatches,
    private readonly known: KnownRooms,
    private readonly locks: BatchLocks,
    private readonly reader: BatchStateReader,
    private readonly outbox: Outbox,
    private readonly filter: CurrentFilter,
    private readonly audit: AuditLog,
    private readonly metrics: Metrics,
  ) {}

  /** Fails as a whole, and then nothing of it is written, or it is in doubt; with 55P03 when somebody else keeps a room locked. */
  async write(changes: MessageChange[]): Promise<Outcome> {
    const optimistic = await this.optimistic.write(changes);
    const decided = optimistic ?? (await this.readAndWrite(changes));
    this.metrics.batchDecidedOn(optimistic ? 'known' : 'read');
    this.metrics.batchWritten(changes.length);
    const outcome = committed(decided);
    this.metrics.traffic.written(outcome.facts.reduce((sum, { created }) => sum + created.length, 0));
    return outcome;
  }

  /** The rooms among these that somebody else has locked at this moment. */
  lockedAmong(roomIds: string[]): Promise<string[]> {
    return this.unitOfWork.run((tx) => this.locks.lockedAmong(tx, roomIds));
  }

  private async readAndWrite(changes: MessageChange[]): Promise<Decided> {
    const { state, decided } = await this.unitOfWork.run(async (tx) => {
      const state = await this.reader.read(tx, changes);
      return { state, decided: await this.decide(tx, changes, state) };
    }, START_BATCH);
    this.known.learn(state);
    return decided;
  }

  /** Two round trips: locks and what is decided on; what was decided and COMMIT. With changed messages COMMIT is a third. */
  private async decide(tx: Transaction, changes: MessageChange[], state: LedgerState): Promise<Decided> {
    const ledger = new MessageLedger(state, await this.filter.at(tx, state.filterVersion));
    const verdicts = changes.map((change) => ledger.decide(change));
    await this.audit.appendAll(tx, ledger.moderatedDeletions.map(deletionAct));
    const writes =
      ledger.inserted.length + ledger.changed.size > 0 ? writeBatch(ledger, state.rooms, state.now) : [];
    this.outbox.appendWithCommit(tx, ledger.facts);
    if (verdicts.every(({ kind }) => kind !== 'changed') && ledger.changed.size + ledger.kept.length === 0) {
      tx.sendWithCommit(...writes);
      return {
        verdicts: verdicts.map((verdict) => written(verdict, NONE)),
        changes: byRoom(createdIn(ledger)),
      };
    }
    const { messages, changes: others } = await this.readBack(tx, writes, verdicts, ledger, state.rooms);
    const all = [...createdIn(ledger), ...others];
    all.sort((a, b) => a.message.rev - b.message.rev);
    return { verdicts: verdicts.map((verdict) => written(verdict, messages)), changes: byRoom(all) };
  }

  /** Writes, and reads as everybody will read them the changed messages, the unchanged among them, and those that were kept. */
  private async readBack(
    tx: Transaction,
    writes: readonly Statement[],
    verdicts: readonly Verdict[],
    ledger: MessageLedger,
    rooms: ReadonlyMap<string, { history: string }>,
  ): Promise<{ messages: Map<string, Message>; changes: CommittedChange[] }> {
    const changed = [...ledger.changed.values()];
    const ids = new Set([...ledger.changed.keys(), ...ledger.kept]);
    for (const verdict of verdicts) if (verdict.kind === 'changed') ids.add(verdict.messageId);
    const confidential = changed.filter(({ roomId }) => rooms.get(roomId)?.history === 'since_join');
    const answers = await tx.send(...writes, readBack(ids), readNewcomers(confidential));
    const [rows, late] = answers.slice(writes.length) as [MessageRow[], Parameters<typeof newcomersOf>[0]];
    const messages = new Map(rows.map((row) => [row.id, messageView(row)]));
    const newcomers = newcomersOf(late);
    const changes: CommittedChange[] = [];
    for (const [id, message] of messages)
      if (ledger.changed.has(id))
        changes.push({ kind: 'changed', message, hiddenFrom: newcomers.get(id) ?? [] });
      else if (ledger.kept.includes(id)) changes.push({ kind: 'created', message });
    return { messages, changes };
  }
}

/** Without what the message said: the log is for ever, and whoever has a message erased means it. */
function deletionAct({ change, target }: ModeratedDeletion): ActOf {
  return {
    actor: change.actor,
    requestId: change.requestId,
    act: 'message.delete',
    target: { type: 'message', id: target.id },
    roomId: target.roomId,
    ...(change.reason !== null && { reason: change.reason }),
    before: { senderId: target.senderId, seq: target.seq },
  };
}

function written(verdict: Verdict, messages: ReadonlyMap<string, Message>): Decided['verdicts'][number] {
  if (verdict.kind !== 'changed') return verdict;
  const message = messages.get(verdict.messageId);
  if (!message) throw new Error('A changed message could not be read back');
  return { kind: 'changed', message };
}

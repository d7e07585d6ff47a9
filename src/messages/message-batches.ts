import { Injectable } from '@nestjs/common';
import type { Message } from '../contract/views.js';
import { AuditLog, type ActOf } from '../audit/audit-log.service.js';
import type { Statement } from '../platform/database/pipelined-transaction.js';
import { UnitOfWork, type Transaction } from '../platform/database/unit-of-work.js';
import { Metrics } from '../platform/metrics/metrics.js';
import { Outbox } from '../platform/outbox/outbox.js';
import { BatchLocks } from './batch-locks.repository.js';
import { BatchStateReader } from './batch-state.repository.js';
import { newcomersOf, readBack, readNewcomers } from './batch-targets.repository.js';
import { writeBatch } from './batch-write.repository.js';
import { CurrentFilter } from './current-filter.js';
import type { MessageChange } from './message-change.js';
import { MessageLedger, type ModeratedDeletion, type Verdict } from './message-ledger.js';
import { messageView, type MessageRow } from './message.view.js';
import { MessagesCommitted, type CommittedChange } from './messages.events.js';

/** What a change came to once it is committed. */
export type Written = Extract<Verdict, { kind: 'sent' }> | { kind: 'changed'; message: Message };

export interface Outcome {
  /** One per change. */
  verdicts: (Written | Extract<Verdict, { kind: 'refused' }>)[];
  /** One per room that was changed. */
  facts: MessagesCommitted[];
}

const NONE: ReadonlyMap<string, Message> = new Map();

interface Decided {
  verdicts: Outcome['verdicts'];
  /** By room, in `rev` order. */
  changes: Map<string, CommittedChange[]>;
}

/** Writes a batch of changes, of one or of five hundred, in one transaction. */
@Injectable()
export class MessageBatches {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly locks: BatchLocks,
    private readonly reader: BatchStateReader,
    private readonly outbox: Outbox,
    private readonly filter: CurrentFilter,
    private readonly audit: AuditLog,
    private readonly metrics: Metrics,
  ) {}

  /** Fails as a whole, and then nothing of it is written: with 55P03 when somebody else keeps a room locked. */
  async write(changes: MessageChange[]): Promise<Outcome> {
    const { verdicts, changes: committed } = await this.unitOfWork.run((tx) => this.decide(tx, changes));
    const committedAt = performance.now();
    this.metrics.batchWritten(changes.length);
    const facts = [...committed].map(([roomId, of]) => new MessagesCommitted(roomId, of, committedAt));
    this.metrics.traffic.written(facts.reduce((sum, { created }) => sum + created.length, 0));
    return { verdicts, facts };
  }

  /** The rooms among these that somebody else has locked at this moment. */
  lockedAmong(roomIds: string[]): Promise<string[]> {
    return this.unitOfWork.run((tx) => this.locks.lockedAmong(tx, roomIds));
  }

  /** Two round trips: locks and what is decided on; what was decided and COMMIT. With changed messages COMMIT is a third. */
  private async decide(tx: Transaction, changes: MessageChange[]): Promise<Decided> {
    const state = await this.reader.read(tx, changes);
    const ledger = new MessageLedger(state, await this.filter.at(tx, state.filterVersion));
    const verdicts = changes.map((change) => ledger.decide(change));
    await this.audit.appendAll(tx, ledger.moderatedDeletions.map(deletionAct));
    const writes =
      ledger.inserted.length + ledger.changed.size > 0 ? writeBatch(ledger, state.rooms, state.now) : [];
    this.outbox.appendWithCommit(tx, ledger.facts);
    if (verdicts.every(({ kind }) => kind !== 'changed') && ledger.changed.size === 0) {
      tx.sendWithCommit(...writes);
      return {
        verdicts: verdicts.map((verdict) => written(verdict, NONE)),
        changes: byRoom(createdIn(ledger)),
      };
    }
    const { messages, changes: changed } = await this.readBack(tx, writes, verdicts, ledger, state.rooms);
    const all = [...createdIn(ledger), ...changed];
    all.sort((a, b) => a.message.rev - b.message.rev);
    return { verdicts: verdicts.map((verdict) => written(verdict, messages)), changes: byRoom(all) };
  }

  /** Writes, and reads the changed messages as everybody will read them, those that turned out to be unchanged included. */
  private async readBack(
    tx: Transaction,
    writes: readonly Statement[],
    verdicts: readonly Verdict[],
    ledger: MessageLedger,
    rooms: ReadonlyMap<string, { history: string }>,
  ): Promise<{ messages: Map<string, Message>; changes: CommittedChange[] }> {
    const changed = [...ledger.changed.values()];
    const ids = new Set(ledger.changed.keys());
    for (const verdict of verdicts) if (verdict.kind === 'changed') ids.add(verdict.messageId);
    const confidential = changed.filter(({ roomId }) => rooms.get(roomId)?.history === 'since_join');
    const answers = await tx.send(...writes, readBack(ids), readNewcomers(confidential));
    const [rows, late] = answers.slice(writes.length) as [MessageRow[], Parameters<typeof newcomersOf>[0]];
    const messages = new Map(rows.map((row) => [row.id, messageView(row)]));
    const newcomers = newcomersOf(late);
    const changes = changed.flatMap(({ id }): CommittedChange[] => {
      const message = messages.get(id);
      return message ? [{ kind: 'changed', message, hiddenFrom: newcomers.get(id) ?? [] }] : [];
    });
    return { messages, changes };
  }
}

function createdIn({ inserted }: MessageLedger): CommittedChange[] {
  return inserted.map(({ view }) => ({ kind: 'created', message: view }));
}

function byRoom(changes: CommittedChange[]): Map<string, CommittedChange[]> {
  const rooms = new Map<string, CommittedChange[]>();
  for (const change of changes) {
    const known = rooms.get(change.message.roomId);
    if (known) known.push(change);
    else rooms.set(change.message.roomId, [change]);
  }
  return rooms;
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

function written(verdict: Verdict, messages: ReadonlyMap<string, Message>): Outcome['verdicts'][number] {
  if (verdict.kind !== 'changed') return verdict;
  const message = messages.get(verdict.messageId);
  if (!message) throw new Error('A changed message could not be read back');
  return { kind: 'changed', message };
}

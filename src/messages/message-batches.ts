import { Injectable } from '@nestjs/common';
import type { Message } from '../contract/views.js';
import { AuditLog, type ActOf } from '../audit/audit-log.service.js';
import { UnitOfWork, type Transaction } from '../platform/database/unit-of-work.js';
import { Metrics } from '../platform/metrics/metrics.js';
import { BatchLocks } from './batch-locks.repository.js';
import { BatchStateReader } from './batch-state.repository.js';
import { BatchStateWriter } from './batch-write.repository.js';
import { CurrentFilter } from './current-filter.js';
import type { MessageChange } from './message-change.js';
import { MessageLedger, type ModeratedDeletion, type Verdict } from './message-ledger.js';
import { selectMessages } from './message-rows.repository.js';
import { messageView } from './message.view.js';
import { MessageChanged, MessageCreated } from './messages.events.js';

/** What a change came to once it is committed. */
export type Written = Extract<Verdict, { kind: 'sent' }> | { kind: 'changed'; message: Message };

export interface Outcome {
  /** One per change. */
  verdicts: (Written | Extract<Verdict, { kind: 'refused' }>)[];
  /** In `rev` order. */
  facts: (MessageCreated | MessageChanged)[];
}

/** Becomes a fact when the transaction is committed. */
type Draft =
  { kind: 'created'; message: Message } | { kind: 'changed'; message: Message; hiddenFrom: string[] };

interface Decided {
  verdicts: Outcome['verdicts'];
  drafts: Draft[];
}

/** Writes a batch of changes, of one or of five hundred, in one transaction. */
@Injectable()
export class MessageBatches {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly locks: BatchLocks,
    private readonly reader: BatchStateReader,
    private readonly writer: BatchStateWriter,
    private readonly filter: CurrentFilter,
    private readonly audit: AuditLog,
    private readonly metrics: Metrics,
  ) {}

  /** Fails as a whole, and then nothing of it is written: with 55P03 when somebody else keeps a room locked. */
  async write(changes: MessageChange[]): Promise<Outcome> {
    const decided = await this.unitOfWork.run((tx) => this.decide(tx, changes));
    this.metrics.batchWritten(changes.length);
    this.metrics.traffic.written(decided.drafts.filter(({ kind }) => kind === 'created').length);
    const committedAt = performance.now();
    return { verdicts: decided.verdicts, facts: decided.drafts.map((draft) => factOf(draft, committedAt)) };
  }

  /** The rooms among these that somebody else has locked at this moment. */
  lockedAmong(roomIds: string[]): Promise<string[]> {
    return this.unitOfWork.run((tx) => this.locks.lockedAmong(tx, roomIds));
  }

  private async decide(tx: Transaction, changes: MessageChange[]): Promise<Decided> {
    const roomIds = [...new Set(changes.map(({ roomId }) => roomId))];
    const locked = await this.locks.lockRooms(tx, roomIds);
    const state = await this.reader.read(tx, locked, changes);
    const ledger = new MessageLedger(state, await this.filter.at(tx, state.filterVersion));
    const verdicts = changes.map((change) => ledger.decide(change));
    if (ledger.inserted.length + ledger.changed.size > 0)
      await this.writer.write(tx, locked.rooms, ledger, locked.now);
    await this.audit.appendAll(tx, ledger.moderatedDeletions.map(deletionAct));

    const messages = await this.readBack(tx, verdicts, ledger);
    const drafts: Draft[] = ledger.inserted.map(({ view }) => ({ kind: 'created', message: view }));
    drafts.push(...(await this.changedDrafts(tx, locked.rooms, ledger, messages)));
    drafts.sort((a, b) => a.message.rev - b.message.rev);
    return { verdicts: verdicts.map((verdict) => written(verdict, messages)), drafts };
  }

  /** Changed messages as everybody will read them, those that turned out to be unchanged included. */
  private async readBack(
    { manager }: Transaction,
    verdicts: Verdict[],
    ledger: MessageLedger,
  ): Promise<Map<string, Message>> {
    const ids = new Set(ledger.changed.keys());
    for (const verdict of verdicts) if (verdict.kind === 'changed') ids.add(verdict.messageId);
    if (ids.size === 0) return new Map();
    const rows = await selectMessages(manager, 'WHERE m.id = ANY($1::uuid[])', [[...ids]]);
    return new Map(rows.map((row) => [row.id, messageView(row)]));
  }

  private async changedDrafts(
    tx: Transaction,
    rooms: Map<string, { history: string }>,
    ledger: MessageLedger,
    messages: Map<string, Message>,
  ): Promise<Draft[]> {
    const changed = [...ledger.changed.values()];
    const confidential = changed.filter(({ roomId }) => rooms.get(roomId)?.history === 'since_join');
    const newcomers = await this.reader.newcomersAfter(tx, confidential);
    return changed.flatMap(({ id }): Draft[] => {
      const message = messages.get(id);
      return message ? [{ kind: 'changed', message, hiddenFrom: newcomers.get(id) ?? [] }] : [];
    });
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

function written(verdict: Verdict, messages: Map<string, Message>): Outcome['verdicts'][number] {
  if (verdict.kind !== 'changed') return verdict;
  const message = messages.get(verdict.messageId);
  if (!message) throw new Error('A changed message could not be read back');
  return { kind: 'changed', message };
}

function factOf(draft: Draft, committedAt: number): MessageCreated | MessageChanged {
  return draft.kind === 'created'
    ? new MessageCreated(draft.message, committedAt)
    : new MessageChanged(draft.message, draft.hiddenFrom, committedAt);
}

import type { Message } from '../contract/views.js';
import type { MessageLedger, Verdict } from './message-ledger.js';
import { MessagesCommitted, type CommittedChange } from './messages.events.js';

/** What a change came to once it is committed. */
export type Written = Extract<Verdict, { kind: 'sent' }> | { kind: 'changed'; message: Message };

export interface Outcome {
  /** One per change. */
  verdicts: (Written | Extract<Verdict, { kind: 'refused' }>)[];
  /** One per room that was changed. */
  facts: MessagesCommitted[];
}

/** A batch as it will be when it is committed. */
export interface Decided {
  verdicts: Outcome['verdicts'];
  /** By room, in `rev` order. */
  changes: Map<string, CommittedChange[]>;
}

export function createdIn({ inserted }: MessageLedger): CommittedChange[] {
  return inserted.map(({ view }) => ({ kind: 'created', message: view }));
}

export function byRoom(changes: readonly CommittedChange[]): Map<string, CommittedChange[]> {
  const rooms = new Map<string, CommittedChange[]>();
  for (const change of changes) {
    const known = rooms.get(change.message.roomId);
    if (known) known.push(change);
    else rooms.set(change.message.roomId, [change]);
  }
  return rooms;
}

export function committed({ verdicts, changes }: Decided): Outcome {
  const committedAt = performance.now();
  return {
    verdicts,
    facts: [...changes].map(([roomId, of]) => new MessagesCommitted(roomId, of, committedAt)),
  };
}

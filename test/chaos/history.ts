import { writeFileSync } from 'node:fs';
import type { Message } from '../../src/contract/views.js';

/** A send that left a client: one attempt of possibly several with the same `clientMessageId`. */
export interface Invoke {
  kind: 'invoke';
  op: number;
  process: string;
  /** Counts the connections of the process. */
  epoch: number;
  senderId: string;
  roomId: string;
  clientMessageId: string;
  content: string;
}

export type Entry =
  | Invoke
  /** The attempt was acknowledged. */
  | { kind: 'ok'; op: number; messageId: string; seq: number; rev: number; deduplicated: boolean }
  /** It was refused for good: it must not have happened. */
  | { kind: 'fail'; op: number; code: string }
  /** No answer, or one that leaves it open: it happened or it did not. */
  | { kind: 'info'; op: number; reason: string }
  /** A live event came over the wire. */
  | { kind: 'live'; process: string; epoch: number; roomId: string; rev: number }
  /** The application behind a client was given a message, live or from the log. */
  | {
      kind: 'deliver';
      process: string;
      roomId: string;
      id: string;
      seq: number;
      rev: number;
      content: string;
    }
  /** The application was told that what it has is void: it starts anew. */
  | { kind: 'reset'; process: string; roomId: string }
  /** The client holds that it has everything up to `rev`. */
  | { kind: 'current'; process: string; roomId: string; rev: number };

/** What a room holds when everything has come to rest. */
export interface FinalRoom {
  roomId: string;
  lastSeq: number;
  rev: number;
  messages: Pick<Message, 'id' | 'seq' | 'rev' | 'content' | 'clientMessageId' | 'sender'>[];
}

/** Everything that clients did and saw, in the order of real time. */
export class History {
  readonly entries: Entry[] = [];
  private ops = 0;

  /** Returns the number of the attempt. */
  invoke(entry: Omit<Invoke, 'kind' | 'op'>): number {
    const op = ++this.ops;
    this.entries.push({ kind: 'invoke', op, ...entry });
    return op;
  }

  add(entry: Exclude<Entry, Invoke>): void {
    this.entries.push(entry);
  }

  count(kind: Entry['kind']): number {
    return this.entries.filter((entry) => entry.kind === kind).length;
  }

  /** One entry a line. */
  writeTo(file: string): void {
    writeFileSync(file, this.entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  }
}

import type { ErrorCode } from '../../contract/errors.js';
import { DurationBuckets, type DurationCounts } from './duration-buckets.js';

/** What went through since the process began. An interval is the difference of two. */
export interface TrafficTotals {
  messages: number;
  deliveries: number;
  commands: number;
  errors: ReadonlyMap<ErrorCode, number>;
  ackMs: DurationCounts;
}

/** Sums for the live statistics: plain numbers, because they are counted for every command and every event sent. */
export class Traffic {
  /** Changes of messages that wait to be written, at this moment. */
  queuedWrites = 0;
  private messages = 0;
  private deliveries = 0;
  private commands = 0;
  private readonly errors = new Map<ErrorCode, number>();
  private readonly ackMs = new DurationBuckets();

  written(messages: number): void {
    this.messages += messages;
  }

  /** An event was handed to so many sockets. */
  sent(sockets: number): void {
    this.deliveries += sockets;
  }

  answered(result: 'ok' | ErrorCode, durationMs: number): void {
    this.commands += 1;
    this.ackMs.add(durationMs);
    if (result !== 'ok') this.errors.set(result, (this.errors.get(result) ?? 0) + 1);
  }

  totals(): TrafficTotals {
    const { messages, deliveries, commands } = this;
    return { messages, deliveries, commands, errors: new Map(this.errors), ackMs: this.ackMs.copy() };
  }
}

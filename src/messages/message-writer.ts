import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import pLimit from 'p-limit';
import type { Config } from '../platform/config/config.js';
import { CONFIG } from '../platform/config/config.module.js';
import { DomainEvents } from '../platform/events/domain-events.js';
import { AppError } from '../platform/errors/app-error.js';
import { Metrics } from '../platform/metrics/metrics.js';
import type { Written } from './batch-outcome.js';
import { MessageBatches } from './message-batches.js';
import type { MessageChange } from './message-change.js';
import { WriterLane } from './writer-lane.js';

/** Batches being committed at once on Postgres. The embedded database has one connection. */
const LANES = 2;
/** Connections that may wait for locked rooms at once, however many rooms are locked. */
const LOCKED_ROOM_CONNECTIONS = 2;

/**
 * Group commit: everything that takes a `rev` is queued here and written with whatever else is waiting, in one
 * transaction. An idle server writes at once, a busy one hundreds together: while a lane commits, its next
 * batch fills. All changes of a room go through one lane, so this node tells them in `rev` order.
 */
@Injectable()
export class MessageWriter implements OnModuleDestroy {
  private readonly lanes: WriterLane[];
  /** Rooms somebody else has locked for long wait in a lane of their own and hold up nobody. */
  private readonly detached = new Map<string, WriterLane>();
  private readonly oneOfFew = pLimit(LOCKED_ROOM_CONNECTIONS);
  private queued = 0;
  private closing = false;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly batches: MessageBatches,
    private readonly events: DomainEvents,
    private readonly metrics: Metrics,
  ) {
    const lanes = config.database.kind === 'embedded' ? 1 : LANES;
    this.lanes = Array.from({ length: lanes }, () => this.lane());
  }

  /**
   * Queues a change before it returns, so the order of calls is the order in the room. Resolves after COMMIT.
   * Rejects with the refusal, or UNAVAILABLE when the queue is full or the database stays away.
   */
  submit(change: MessageChange): Promise<Written> {
    if (this.closing)
      return Promise.reject(new AppError('UNAVAILABLE', 'The server is closing', { retryAfterMs: 1000 }));
    if (this.queued >= this.config.limits.writeQueue)
      return Promise.reject(
        new AppError('UNAVAILABLE', 'Too many messages are waiting to be written', { retryAfterMs: 1000 }),
      );
    this.count(1);
    return new Promise<Written>((resolve, reject) => {
      this.laneOf(change.roomId).push({
        change,
        queuedAt: performance.now(),
        resolve: (written) => {
          this.count(-1);
          resolve(written);
        },
        reject: (error) => {
          this.count(-1);
          reject(
            error instanceof Error ? error : new Error('A change could not be written', { cause: error }),
          );
        },
      });
    });
  }

  /** Takes nothing new and waits for what is queued. */
  async onModuleDestroy(): Promise<void> {
    this.closing = true;
    while (this.queued > 0) await delay(10);
  }

  private count(change: 1 | -1): void {
    this.queued += change;
    this.metrics.traffic.queuedWrites = this.queued;
  }

  private laneOf(roomId: string): WriterLane {
    return this.detached.get(roomId) ?? (this.lanes[hash(roomId) % this.lanes.length] as WriterLane);
  }

  private lane(): WriterLane {
    const lane: WriterLane = new WriterLane(this.events, {
      write: (changes) => this.batches.write(changes),
      roomsLocked: (roomIds) => this.detachLocked(roomIds, lane),
    });
    return lane;
  }

  private async detachLocked(roomIds: string[], from: WriterLane): Promise<void> {
    for (const roomId of await this.batches.lockedAmong(roomIds)) {
      const lane = new WriterLane(this.events, {
        write: (changes) => this.oneOfFew(() => this.batches.write(changes)),
        // In the same breath in which it runs dry: what comes next finds the common lane, and nobody overtakes.
        idle: () => this.detached.delete(roomId),
      });
      const waiting = from.take(roomId);
      if (waiting.length > 0) this.detached.set(roomId, lane);
      for (const queued of waiting) lane.push(queued);
    }
  }
}

function hash(text: string): number {
  let value = 0;
  for (let index = 0; index < text.length; index++) value = (value * 31 + text.charCodeAt(index)) >>> 0;
  return value;
}

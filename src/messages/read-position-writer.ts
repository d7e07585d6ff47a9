import { Injectable } from '@nestjs/common';
import type { ReadState } from '../contract/views.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { AppError } from '../platform/errors/app-error.js';
import { MessagesRead } from './messages.events.js';
import { ReadStatesRepository, type ReadPosition } from './read-states.repository.js';

/** Positions in one statement. */
const MAX_BATCH = 500;
/** A membership that somebody else keeps locked is tried again until then. */
const PATIENCE_MS = 10_000;
const RETRY_MS = 20;

/** The newest position of a user in a room, and those who wait for it or for an earlier one. */
interface Waiting {
  position: ReadPosition;
  since: number;
  callers: { resolve: (state: ReadState | undefined) => void; reject: (error: unknown) => void }[];
}

/**
 * Group commit of read positions: written at once while nothing is being written, else with whatever else is waiting, in
 * one transaction. Of the positions a scrolling user reports for a room meanwhile only the newest is written.
 */
@Injectable()
export class ReadPositionWriter {
  private readonly waiting = new Map<string, Waiting>();
  private isRunning = false;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly states: ReadStatesRepository,
  ) {}

  /** The read state once this position, or a later one, is committed; `undefined` for who is not in the room. */
  write(position: ReadPosition): Promise<ReadState | undefined> {
    return new Promise((resolve, reject) => {
      this.add({ position, since: performance.now(), callers: [{ resolve, reject }] });
    });
  }

  private add({ position, since, callers }: Waiting): void {
    const same = this.waiting.get(keyOf(position));
    if (same) {
      same.position = { ...position, seq: Math.max(position.seq, same.position.seq) };
      same.since = Math.min(since, same.since);
      same.callers.push(...callers);
    } else this.waiting.set(keyOf(position), { position, since, callers });
    if (!this.isRunning) void this.run();
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    // What arrives in this turn of the event loop shares the first batch.
    await Promise.resolve();
    while (this.waiting.size > 0) {
      const batch = [...this.waiting.values()].slice(0, MAX_BATCH);
      for (const { position } of batch) this.waiting.delete(keyOf(position));
      try {
        await this.writeBatch(batch);
      } catch (error) {
        for (const { callers } of batch) for (const { reject } of callers) reject(error);
      }
    }
    this.isRunning = false;
  }

  private async writeBatch(batch: Waiting[]): Promise<void> {
    const locked = await this.unitOfWork.run(async (tx) => {
      const outcomes = await this.states.advance(
        tx,
        batch.map(({ position }) => position),
      );
      for (const { roomId, userId, movedTo, memberCount } of outcomes)
        if (movedTo !== null) tx.raise(new MessagesRead(roomId, userId, movedTo, memberCount));
      return new Set(outcomes.filter(({ isLocked }) => isLocked).map(keyOf));
    });
    const done = batch.filter(({ position }) => !locked.has(keyOf(position)));
    const states = await this.states.find(done.map(({ position }) => position));
    const found = new Map(
      states.map(({ userId, state }) => [keyOf({ userId, roomId: state.roomId }), state]),
    );
    for (const { position, callers } of done)
      for (const { resolve } of callers) resolve(found.get(keyOf(position)));
    for (const waiting of batch) if (!done.includes(waiting)) this.tryAgain(waiting);
  }

  private tryAgain(waiting: Waiting): void {
    if (performance.now() - waiting.since < PATIENCE_MS) {
      setTimeout(() => this.add(waiting), RETRY_MS);
      return;
    }
    const error = new AppError('UNAVAILABLE', 'The position cannot be written now', { retryAfterMs: 1000 });
    for (const { reject } of waiting.callers) reject(error);
  }
}

/** NUL is in neither of the parts. */
function keyOf({ roomId, userId }: { roomId: string; userId: string }): string {
  return `${roomId}\0${userId}`;
}

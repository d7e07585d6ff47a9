import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import pLimit, { type LimitFunction } from 'p-limit';
import type { Config } from '../platform/config/config.js';
import { CONFIG } from '../platform/config/config.module.js';
import { UnitOfWork, type Transaction } from '../platform/database/unit-of-work.js';
import { AppError } from '../platform/errors/app-error.js';
import { sqlStateOf } from '../platform/errors/database-error.js';
import { OnePerRoom } from './one-per-room.js';
import { RoomsRepository } from './rooms.repository.js';

/** Units of work that change rooms, at once. */
const AT_ONCE = 3;
/** From the arrival until a lock that somebody else keeps is given up. */
const PATIENCE_MS = 8000;
const LOCK_WAIT_MS = 250;
const RETRY_MS = 50;

/**
 * The way to every unit of work that locks a room. Whoever waits for a room, be it for its turn in this process or
 * for a lock held elsewhere, must not keep connections from those who send and read elsewhere: the turn is taken
 * before a connection is, few have one at once, and a lock is asked for again and again, each time only briefly.
 */
@Injectable()
export class RoomTurns {
  private readonly line = new OnePerRoom();
  private readonly places: LimitFunction;

  constructor(
    @Inject(CONFIG) { database }: Config,
    private readonly unitOfWork: UnitOfWork,
    private readonly rooms: RoomsRepository,
  ) {
    this.places = pLimit(
      database.kind === 'postgres' ? Math.min(AT_ONCE, Math.floor(database.poolSize / 2)) : 1,
    );
  }

  /** UNAVAILABLE when the room is not to be had in time. `work` may run several times, and is committed once. */
  run<T>(roomId: string, work: (tx: Transaction) => Promise<T>, pauseMs = RETRY_MS): Promise<T> {
    const deadline = performance.now() + PATIENCE_MS;
    return this.line.run(roomId, async () => {
      for (;;) {
        try {
          return await this.places(() => this.once(work, deadline));
        } catch (error) {
          if (sqlStateOf(error) !== '55P03') throw error;
        }
        // Without a place: others have theirs meanwhile.
        await pause(pauseMs);
      }
    });
  }

  private once<T>(work: (tx: Transaction) => Promise<T>, deadline: number): Promise<T> {
    if (performance.now() >= deadline)
      throw new AppError('UNAVAILABLE', 'Others are in the way: try again', { retryAfterMs: 1000 });
    return this.unitOfWork.run(async (tx) => {
      await this.rooms.limitLockWaits(tx, LOCK_WAIT_MS);
      return work(tx);
    });
  }
}

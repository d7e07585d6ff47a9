import { Injectable } from '@nestjs/common';
import type { RoomHistory, RoomType } from '../contract/views.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { HOLD_MODERATION } from '../rooms/moderation-lock.service.js';
import type { RoomState } from './batch-state.js';

export interface LockedRooms {
  now: Date;
  rooms: Map<string, RoomState>;
}

/** A batch waits this long for a room that somebody else has locked; meanwhile the other rooms of its lane wait too. */
const LOCK_WAIT = '500ms';

/** The locks under which a batch is written. */
@Injectable()
export class BatchLocks {
  /**
   * Takes the rooms' locks in id order. A separate statement before anything is read: the reads after it see
   * what was committed while it waited, such as a kick. Fails with 55P03 when a room stays locked.
   */
  async lockRooms(tx: Transaction, roomIds: string[]): Promise<LockedRooms> {
    const rows = await tx.manager.query<
      {
        id: string;
        type: RoomType;
        history: RoomHistory;
        last_seq: number;
        last_rev: number;
        slow_mode_seconds: number;
        archived: boolean;
        frozen: boolean;
      }[]
    >(
      // LATERAL: the limit is set before the first lock is asked for, in the same round trip.
      `SELECT r.*
         FROM (SELECT set_config('lock_timeout', $2, true) AS value) lock_timeout,
              LATERAL (SELECT id, type, history, last_seq, last_rev, slow_mode_seconds,
                              archived_at IS NOT NULL AS archived, frozen_at IS NOT NULL AS frozen
                         FROM rooms WHERE id = ANY($1) AND lock_timeout.value IS NOT NULL ORDER BY id FOR UPDATE) r`,
      [roomIds, LOCK_WAIT],
    );
    const [clock] = await tx.manager.query<{ now: Date; xid: string; notify_all: string[] }[]>(
      // Restrictions and rules are read after this statement: what was committed while it waited is seen.
      `SELECT ${HOLD_MODERATION}, clock_timestamp() AS now, pg_current_xact_id()::text AS xid,
              ARRAY(SELECT w.id FROM unnest($1::text[]) AS w(id)
                     WHERE EXISTS (SELECT FROM room_members m WHERE m.room_id = w.id AND m.notify_level = 'all')) AS notify_all`,
      [roomIds],
    );
    if (!clock) throw new Error('The database did not tell the time');
    // Read here, a batch costs no further statement for it.
    tx.xid = clock.xid;
    const notifyAll = new Set(clock.notify_all);
    const rooms = rows.map((row): [string, RoomState] => [
      row.id,
      {
        id: row.id,
        type: row.type,
        history: row.history,
        lastSeq: row.last_seq,
        lastRev: row.last_rev,
        slowModeSeconds: row.slow_mode_seconds,
        archived: row.archived,
        frozen: row.frozen,
        notifyAll: notifyAll.has(row.id),
      },
    ]);
    return { now: clock.now, rooms: new Map(rooms) };
  }

  /** The rooms among these that somebody else has locked at this moment. */
  async lockedAmong({ manager }: Transaction, roomIds: string[]): Promise<string[]> {
    const rows = await manager.query<{ id: string }[]>(
      `WITH free AS (SELECT id FROM rooms WHERE id = ANY($1) FOR UPDATE SKIP LOCKED)
       SELECT id FROM rooms WHERE id = ANY($1) AND id NOT IN (SELECT id FROM free)`,
      [roomIds],
    );
    return rows.map(({ id }) => id);
  }
}

import { Injectable } from '@nestjs/common';
import type { RoomHistory, RoomType } from '../contract/views.js';
import type { Statement } from '../platform/database/pipelined-transaction.js';
import { PLANNED_ONCE } from '../platform/database/transaction-at-once.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { HOLD_MODERATION } from '../rooms/moderation-lock.service.js';
import type { RoomState } from './batch-state.js';

interface LockedRoom {
  id: string;
  type: RoomType;
  history: RoomHistory;
  last_seq: number;
  last_rev: number;
  slow_mode_seconds: number;
  archived: boolean;
  frozen: boolean;
}

interface Clock {
  now: Date;
  xid: string;
  notify_all: string[];
}

/** A batch waits this long for a room that somebody else has locked; meanwhile the other rooms of its lane wait too. */
export const LOCK_WAIT = '500ms';

/** What is left of a batch whose node is gone keeps the locks of its rooms no longer. */
const STRANDED = '5s';

/**
 * Begins a batch. Its statements are planned once per connection, for any number of rows, and always go by the indexes: to
 * plan the half of them takes longer than to execute them for one message, and what is best for five hundred is good for
 * one. Without `jit`: a table of one row has no index, and what is forbidden counts as so dear that it would be compiled.
 */
export const START_BATCH = [
  'START TRANSACTION',
  `SET LOCAL lock_timeout = '${LOCK_WAIT}'`,
  `SET LOCAL idle_in_transaction_session_timeout = '${STRANDED}'`,
  PLANNED_ONCE,
  ...['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'jit'].map(
    (name) => `SET LOCAL ${name} = off`,
  ),
].join('; ');

/**
 * Takes the rooms' locks in id order. A separate statement before anything is read: the reads after it see
 * what was committed while it waited, such as a kick. Fails with 55P03 when a room stays locked.
 */
export function lockRooms(roomIds: readonly string[]): Statement<LockedRoom> {
  return {
    name: 'batch-lock-rooms',
    text: `SELECT id, type, history, last_seq, last_rev, slow_mode_seconds,
              archived_at IS NOT NULL AS archived, frozen_at IS NOT NULL AS frozen
         FROM rooms WHERE id = ANY($1) ORDER BY id FOR UPDATE`,
    values: [roomIds],
  };
}

/** Under the rooms' locks: from here on restrictions and rules stay as the statements after it read them. */
export function holdModeration(roomIds: readonly string[]): Statement<Clock> {
  return {
    name: 'batch-hold-moderation',
    text: `SELECT ${HOLD_MODERATION}, clock_timestamp() AS now, pg_current_xact_id()::text AS xid,
              ARRAY(SELECT w.id FROM unnest($1::text[]) AS w(id)
                     WHERE (SELECT true FROM room_members m
                             WHERE m.room_id = w.id AND m.notify_level = 'all' LIMIT 1)) AS notify_all`,
    values: [roomIds],
  };
}

export function roomStates(rows: LockedRoom[], { notify_all }: Clock): Map<string, RoomState> {
  const notifyAll = new Set(notify_all);
  return new Map(
    rows.map((row): [string, RoomState] => [
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
    ]),
  );
}

/** Looks at the locks of others. */
@Injectable()
export class BatchLocks {
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

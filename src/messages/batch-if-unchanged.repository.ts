import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { writeWhere } from '../platform/database/conditional-writes.js';
import type { Statement } from '../platform/database/pipelined-transaction.js';
import { atOnce } from '../platform/database/transaction-at-once.js';
import { HOLD_MODERATION } from '../rooms/moderation-lock.service.js';
import { EVERYWHERE } from '../rooms/restriction.entity.js';
import { LOCK_WAIT, START_BATCH } from './batch-locks.repository.js';
import { STATEMENT_TIME } from './batch-write.repository.js';
import type { Assumed } from './known-rooms.js';

export interface Compared {
  /** The time of what was written. */
  now: Date;
  /** Rooms that are not, or whose writers are not, what was assumed. Nothing was written unless there is none. */
  changed: ReadonlySet<string>;
}

interface Answer {
  /** In ms since the epoch: a number is read ten times as fast as a date. */
  now: number;
  changed: string[];
}

/**
 * Compares with the assumed: rooms that take messages from everybody, are where they were left, and notify as they did;
 * writers who are members with the same role and name, and of whom nothing is forbidden; the same filter rules.
 */
const COMPARE = `
  SELECT (extract(epoch FROM ${STATEMENT_TIME}) * 1000)::float8 AS now, ARRAY(
    SELECT a.id
      FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::int[], $6::boolean[])
        AS a(id, type, history, last_seq, last_rev, notify_all)
     WHERE (SELECT true FROM rooms r
             WHERE r.id = a.id AND r.type = a.type AND r.history = a.history
               AND r.last_seq = a.last_seq AND r.last_rev = a.last_rev
               AND r.archived_at IS NULL AND r.frozen_at IS NULL AND r.slow_mode_seconds = 0 LIMIT 1) IS NULL
        OR (SELECT true FROM room_members m WHERE m.room_id = a.id AND m.notify_level = 'all' LIMIT 1)
           IS DISTINCT FROM nullif(a.notify_all, false)
        OR (SELECT version FROM filter_rule_set) IS DISTINCT FROM $12
        -- The transaction that holds the locks was begun: it might have been cancelled.
        OR current_setting('lock_timeout') IS DISTINCT FROM '${LOCK_WAIT}'
     UNION ALL
    SELECT a.room_id
      FROM unnest($7::text[], $8::text[], $9::text[], $10::text[], $11::text[]) AS a(room_id, user_id, role, name, avatar_url)
     WHERE (SELECT true FROM room_members m
             WHERE m.room_id = a.room_id AND m.user_id = a.user_id AND m.role = a.role LIMIT 1) IS NULL
        OR (SELECT true FROM users u
             WHERE u.id = a.user_id AND u.name = a.name AND u.avatar_url IS NOT DISTINCT FROM a.avatar_url
               AND u.suspended_at IS NULL LIMIT 1) IS NULL
        -- The scopes too: whichever index is taken, it begins with what is asked for.
        OR (SELECT true FROM restrictions r
             WHERE r.user_id = a.user_id AND r.scope = ANY(ARRAY[a.room_id, '${EVERYWHERE}'])
               AND (r.until IS NULL OR r.until > clock_timestamp()) LIMIT 1)
  ) AS changed`;

/** All locks of a batch. A statement of its own: the one after it sees what was committed while it waited. */
const LOCK_ALL = `
  SELECT ${HOLD_MODERATION}
    FROM (SELECT count(*) FROM (SELECT FROM rooms WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE) r) locked`;

/** Compares and writes in one round trip. */
@Injectable()
export class BatchIfUnchanged {
  constructor(private readonly dataSource: DataSource) {}

  /** The writes do not depend on each other. Fails as any batch does; with 23505 when a clientMessageId is there already. */
  async write(assumed: Assumed, writes: readonly (Statement | undefined)[]): Promise<Compared> {
    const lock = { name: 'batch-lock-all', text: LOCK_ALL, values: [assumed.rooms.map(({ id }) => id)] };
    const write = writeIfUnchanged(assumed, writes);
    const [, [answer]] = await atOnce(this.dataSource, START_BATCH, [lock, write]);
    if (!answer) throw new Error('The database did not tell what it compared');
    return { changed: new Set(answer.changed), now: new Date(answer.now) };
  }
}

/** One statement, so that what is written depends on what was found. */
function writeIfUnchanged(
  { rooms, members, filterVersion }: Assumed,
  writes: readonly (Statement | undefined)[],
): Statement<Answer> {
  const question: Statement<Answer> = {
    text: COMPARE,
    values: [
      rooms.map(({ id }) => id),
      rooms.map(({ type }) => type),
      rooms.map(({ history }) => history),
      rooms.map(({ lastSeq }) => lastSeq),
      rooms.map(({ lastRev }) => lastRev),
      rooms.map(({ notifyAll }) => notifyAll),
      members.map(({ roomId }) => roomId),
      members.map(({ userId }) => userId),
      members.map(({ role }) => role),
      members.map(({ name }) => name),
      members.map(({ avatarUrl }) => avatarUrl),
      filterVersion,
    ],
  };
  const which = writes.map((write) => (write ? '1' : '0')).join('');
  return writeWhere(
    `batch-if-unchanged-${which}`,
    question,
    `changed = '{}'`,
    writes.filter((write) => write !== undefined),
  );
}

import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ADVISORY_LOCKS } from '../platform/database/advisory-locks.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { AuditEntryEntity } from './audit-entry.entity.js';

export type NewAuditEntry = Omit<AuditEntryEntity, 'at'>;

/** Which entries; `since` is included, `until` is not. */
export interface AuditFilter {
  actorId?: string;
  act?: string;
  targetId?: string;
  since?: string;
  until?: string;
}

/** The place of an entry in the order of time. */
export interface AuditKey {
  at: Date;
  id: string;
}

/** The lock comes first: of the columns `clock_timestamp()` is the only one that would differ. */
const INSERT = `
  WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(${String(ADVISORY_LOCKS.audit)}))
  INSERT INTO audit_log
    (id, actor_id, actor_name, act, target_type, target_id, room_id, reason, request_id, before, after, at)
  SELECT u.*, clock_timestamp()
    FROM held, unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                      $9::text[], $10::json[], $11::json[]) AS u
  RETURNING id, at`;

/** The table `audit_log`. */
@Injectable()
export class AuditRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Shares the lock of the log from before the time is taken until the transaction ends, see `holdAlone`. */
  async insert(tx: Transaction, entries: NewAuditEntry[]): Promise<AuditEntryEntity[]> {
    const rows = await tx.manager.query<{ id: string; at: Date }[]>(INSERT, [
      entries.map(({ id }) => id),
      entries.map(({ actorId }) => actorId),
      entries.map(({ actorName }) => actorName),
      entries.map(({ act }) => act),
      entries.map(({ targetType }) => targetType),
      entries.map(({ targetId }) => targetId),
      entries.map(({ roomId }) => roomId),
      entries.map(({ reason }) => reason),
      entries.map(({ requestId }) => requestId),
      entries.map(({ before }) => asJson(before)),
      entries.map(({ after }) => asJson(after)),
    ]);
    const times = new Map(rows.map(({ id, at }) => [id, at]));
    return entries.map((entry) => {
      const at = times.get(entry.id);
      if (!at) throw new Error('The audit log did not tell the time');
      return { ...entry, at };
    });
  }

  /**
   * Until the transaction ends nobody else has an entry that is not committed, and new ones are not earlier than its
   * own. Fails with 55P03 when it has to wait longer.
   */
  async holdAlone(tx: Transaction, longestMs: number): Promise<void> {
    await tx.manager.query(`SET LOCAL lock_timeout = ${String(longestMs)}`);
    await tx.manager.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.audit]);
  }

  /** Newest first, from behind `before`. */
  newest(filter: AuditFilter, before: AuditKey | undefined, limit: number): Promise<AuditEntryEntity[]> {
    const query = this.filtered(filter);
    if (before) query.andWhere('(entry.at, entry.id) < (:at, :id)', before);
    return query.orderBy('entry.at', 'DESC').addOrderBy('entry.id', 'DESC').limit(limit).getMany();
  }

  /** Oldest first, from behind `after`, `last` included. */
  oldest(
    filter: AuditFilter,
    after: AuditKey | undefined,
    last: AuditKey,
    limit: number,
  ): Promise<AuditEntryEntity[]> {
    const query = this.filtered(filter);
    query.andWhere('(entry.at, entry.id) <= (:lastAt, :lastId)', { lastAt: last.at, lastId: last.id });
    if (after) query.andWhere('(entry.at, entry.id) > (:at, :id)', after);
    return query.orderBy('entry.at', 'ASC').addOrderBy('entry.id', 'ASC').limit(limit).getMany();
  }

  private filtered({ actorId, act, targetId, since, until }: AuditFilter) {
    const query = this.dataSource.manager.createQueryBuilder(AuditEntryEntity, 'entry').where('true');
    if (actorId !== undefined) query.andWhere('entry.actorId = :actorId', { actorId });
    if (act !== undefined) query.andWhere('entry.act = :act', { act });
    if (targetId !== undefined) query.andWhere('entry.targetId = :targetId', { targetId });
    if (since !== undefined) query.andWhere('entry.at >= :since', { since });
    if (until !== undefined) query.andWhere('entry.at < :until', { until });
    return query;
  }
}

function asJson(value: object | null): string | null {
  return value === null ? null : JSON.stringify(value);
}

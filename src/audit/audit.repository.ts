import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
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

/** The table `audit_log`. */
@Injectable()
export class AuditRepository {
  constructor(private readonly dataSource: DataSource) {}

  async insert(tx: Transaction, entry: NewAuditEntry): Promise<AuditEntryEntity> {
    const result = await tx.manager
      .createQueryBuilder()
      .insert()
      .into(AuditEntryEntity)
      .values(entry)
      .returning('at')
      .execute();
    const [row] = result.raw as { at: Date }[];
    if (!row) throw new Error('The audit log did not tell the time');
    return { ...entry, at: row.at };
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

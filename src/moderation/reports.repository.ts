import { Injectable } from '@nestjs/common';
import { DataSource, LessThan, type FindOptionsWhere } from 'typeorm';
import type { ReportStatus } from '../contract/moderation.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { ReportEntity } from './report.entity.js';

export type NewReport = Pick<
  ReportEntity,
  | 'id'
  | 'messageId'
  | 'roomId'
  | 'senderId'
  | 'content'
  | 'reason'
  | 'reportedBy'
  | 'reportedByName'
  | 'ruleId'
>;
export type Closing = Pick<ReportEntity, 'status' | 'closedBy' | 'closedByName' | 'note'>;

/** The table `reports`. */
@Injectable()
export class ReportsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Those for which the same person, or the same rule, has no open report of the message. */
  async open(tx: Transaction, reports: NewReport[]): Promise<ReportEntity[]> {
    const result = await tx.manager
      .createQueryBuilder()
      .insert()
      .into(ReportEntity)
      .values(reports)
      .orIgnore()
      .returning('id, created_at')
      .execute();
    const times = new Map(
      (result.raw as { id: string; created_at: Date }[]).map((row) => [row.id, row.created_at]),
    );
    const unclosed = {
      status: 'open' as const,
      closedBy: null,
      closedByName: null,
      closedAt: null,
      note: null,
    };
    return reports.flatMap((report) => {
      const createdAt = times.get(report.id);
      return createdAt ? [{ ...report, ...unclosed, createdAt }] : [];
    });
  }

  openOf(tx: Transaction, messageId: string, reportedBy: string): Promise<ReportEntity | null> {
    return tx.manager.findOneBy(ReportEntity, { messageId, reportedBy, status: 'open' });
  }

  find(id: string): Promise<ReportEntity | null> {
    return this.dataSource.manager.findOneBy(ReportEntity, { id });
  }

  /** Under its lock. */
  lock(tx: Transaction, id: string): Promise<ReportEntity | null> {
    return tx.manager.findOne(ReportEntity, { where: { id }, lock: { mode: 'pessimistic_write' } });
  }

  async close(tx: Transaction, report: ReportEntity, closing: Closing): Promise<ReportEntity> {
    const result = await tx.manager
      .createQueryBuilder()
      .update(ReportEntity)
      .set({ ...closing, closedAt: () => 'clock_timestamp()' })
      .where({ id: report.id })
      .returning('closed_at')
      .execute();
    const [{ closed_at: closedAt }] = result.raw as [{ closed_at: Date }];
    return { ...report, ...closing, closedAt };
  }

  /** Newest first, from behind `before`. */
  page(
    { status, roomId }: { status?: ReportStatus | undefined; roomId?: string | undefined },
    before: string | undefined,
    limit: number,
  ): Promise<ReportEntity[]> {
    const where: FindOptionsWhere<ReportEntity> = {
      ...(status !== undefined && { status }),
      ...(roomId !== undefined && { roomId }),
      ...(before !== undefined && { id: LessThan(before) }),
    };
    return this.dataSource.manager.find(ReportEntity, { where, order: { id: 'DESC' }, take: limit });
  }
}

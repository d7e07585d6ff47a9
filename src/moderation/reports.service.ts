import { Injectable, type OnModuleInit } from '@nestjs/common';
import { v7 as uuid } from 'uuid';
import { AuditLog } from '../audit/audit-log.service.js';
import type { Report, ReportStatus } from '../contract/moderation.js';
import type { Page } from '../contract/rest.js';
import { MessageLog } from '../messages/message-log.service.js';
import { MESSAGE_FLAGGED, type FlaggedMessage } from '../messages/messages.events.js';
import { UnitOfWork, type Transaction } from '../platform/database/unit-of-work.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { Outbox } from '../platform/outbox/outbox.js';
import { RoomAccess } from '../rooms/room-access.service.js';
import { capabilitiesOf } from '../rooms/rooms.policy.js';
import { ReportCreated } from './moderation.events.js';
import type { ReportEntity } from './report.entity.js';
import { reportFor, reportView } from './report.view.js';
import { ReportsRepository, type NewReport } from './reports.repository.js';

export interface ReportMessage {
  messageId: string;
  reason: string;
}
export interface ListReports {
  status?: ReportStatus;
  roomId?: string;
  cursor?: string;
}
export interface CloseReport {
  id: string;
  status: 'resolved' | 'dismissed';
  note?: string;
}

const PAGE = 50;
const BY_RULE = 'A filter rule matched';
const ACTS = { resolved: 'report.resolve', dismissed: 'report.dismiss' } as const;

/** The queue of messages that a moderator should look at. */
@Injectable()
export class ReportsService implements OnModuleInit {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly access: RoomAccess,
    private readonly log: MessageLog,
    private readonly reports: ReportsRepository,
    private readonly audit: AuditLog,
    private readonly outbox: Outbox,
  ) {}

  onModuleInit(): void {
    this.outbox.drain(MESSAGE_FLAGGED, (tx, rows) =>
      this.flagged(
        tx,
        rows.map(({ payload }) => payload),
      ),
    );
  }

  /** By anybody who can see the message. While a report of theirs is open it is the one they get again. */
  async create(actor: Actor, { messageId, reason }: ReportMessage): Promise<Report> {
    const { roomId, sender, content } = await this.log.message(actor, messageId);
    const report: NewReport = {
      id: uuid(),
      messageId,
      roomId,
      senderId: sender.id,
      content,
      reason,
      reportedBy: actor.userId,
      reportedByName: actor.name,
      ruleId: null,
    };
    return this.unitOfWork.run(async (tx) => {
      const [opened] = await this.open(tx, [report]);
      if (opened) return opened;
      const first = await this.reports.openOf(tx, messageId, actor.userId);
      // Closed in this very moment.
      if (!first) throw new AppError('CONFLICT', 'The report was just closed');
      return reportView(first);
    });
  }

  /** Newest first: of one room for its owners and admins, of all for administrators. */
  async list(actor: Actor, { status, roomId, cursor }: ListReports): Promise<Page<Report>> {
    if (actor.role !== 'admin') await this.assertModerates(actor, roomId);
    const rows = await this.reports.page({ status, roomId }, cursor, PAGE + 1);
    const data = rows.slice(0, PAGE).map((row) => reportFor(actor, row));
    const last = data.at(-1);
    const hasMore = rows.length > PAGE;
    return { data, ...(hasMore && last && { cursor: last.id }), hasMore };
  }

  /** The same once more changes nothing; another end for a closed one is a CONFLICT. */
  async close(actor: Actor, { id, status, note }: CloseReport): Promise<Report> {
    await this.assertMayClose(actor, id);
    return this.unitOfWork.run(async (tx) => {
      const report = await this.reports.lock(tx, id);
      if (!report) throw reportNotFound();
      if (report.status === status) return reportView(report);
      if (report.status !== 'open') throw new AppError('CONFLICT', 'The report is closed already');
      const closed = await this.reports.close(tx, report, {
        status,
        closedBy: actor.userId,
        closedByName: actor.name,
        note: note ?? null,
      });
      await this.record(tx, actor, closed);
      return reportView(closed);
    });
  }

  private async record(tx: Transaction, actor: Actor, report: ReportEntity): Promise<void> {
    if (report.status === 'open') return;
    await this.audit.append(tx, actor, {
      act: ACTS[report.status],
      target: { type: 'report', id: report.id },
      roomId: report.roomId,
      ...(report.note !== null && { reason: report.note }),
      before: { status: 'open' },
      after: { status: report.status },
    });
  }

  private async flagged(tx: Transaction, messages: FlaggedMessage[]): Promise<void> {
    await this.open(
      tx,
      messages.map(({ messageId, roomId, senderId, content, ruleId }) => ({
        id: uuid(),
        messageId,
        roomId,
        senderId,
        content,
        reason: BY_RULE,
        reportedBy: null,
        reportedByName: null,
        ruleId,
      })),
    );
  }

  private async open(tx: Transaction, reports: NewReport[]): Promise<Report[]> {
    const opened = (await this.reports.open(tx, reports)).map(reportView);
    for (const report of opened) tx.raise(new ReportCreated(report));
    return opened;
  }

  private async assertModerates(actor: Actor, roomId: string | undefined): Promise<void> {
    if (roomId !== undefined && (await this.moderates(actor, roomId))) return;
    throw new AppError('FORBIDDEN', 'Owners and admins of a room see its reports, administrators all');
  }

  /** To others a report is as unknown as one that never was. */
  private async assertMayClose(actor: Actor, id: string): Promise<void> {
    const report = await this.reports.find(id);
    if (!report) throw reportNotFound();
    if (actor.role === 'admin') return;
    const moderates = await this.moderates(actor, report.roomId).catch((error: unknown) => {
      if (error instanceof AppError) return false;
      throw error;
    });
    if (!moderates) throw reportNotFound();
    if (report.senderId === actor.userId)
      throw new AppError('FORBIDDEN', 'Nobody judges what they wrote themselves');
  }

  private async moderates(actor: Actor, roomId: string): Promise<boolean> {
    const { room, member } = await this.access.member(actor, roomId);
    return capabilitiesOf(room.type, member.role).includes('room:moderate');
  }
}

function reportNotFound(): AppError {
  return new AppError('NOT_FOUND', 'There is no such report');
}

import { Injectable } from '@nestjs/common';
import { v7 as uuid } from 'uuid';
import type { AuditEntry } from '../contract/admin.js';
import type { Page } from '../contract/rest.js';
import { UnitOfWork, type Transaction } from '../platform/database/unit-of-work.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { assertAdministrator } from '../platform/identity/administrator.js';
import { currentRequestId } from '../platform/identity/request-context.js';
import { auditEntryView } from './audit-entry.view.js';
import { AuditAppended } from './audit.events.js';
import { assertNoSecrets } from './audit.policy.js';
import { AuditRepository, type AuditFilter, type AuditKey } from './audit.repository.js';

/** What somebody did to what. `before` and `after` say what changed, without secrets. */
export interface Act {
  /** `noun.verb`. */
  act: string;
  target: { type: string; id: string };
  roomId?: string;
  reason?: string;
  before?: object;
  after?: object;
}

export interface ListAuditEntries extends AuditFilter {
  cursor?: string;
  limit?: number;
}

export type ExportAuditEntries = Pick<AuditFilter, 'since' | 'until'>;

const PAGE = 50;
const EXPORT_PAGE = 500;
const CURSOR = /^(\d{1,15}) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** Who did what, when and why: appended to in the transaction of the act, read by administrators. */
@Injectable()
export class AuditLog {
  constructor(
    private readonly entries: AuditRepository,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** In the transaction of the act: neither is there without the other. `actor` null: the system. */
  async append(
    tx: Transaction,
    actor: Actor | null,
    { act, target, roomId, reason, before, after }: Act,
  ): Promise<AuditEntry> {
    assertNoSecrets(before);
    assertNoSecrets(after);
    const row = await this.entries.insert(tx, {
      id: uuid(),
      actorId: actor?.userId ?? null,
      actorName: actor?.name ?? null,
      act,
      targetType: target.type,
      targetId: target.id,
      roomId: roomId ?? null,
      reason: reason ?? null,
      requestId: currentRequestId() ?? null,
      before: before ?? null,
      after: after ?? null,
    });
    const entry = auditEntryView(row);
    tx.raise(new AuditAppended(entry));
    return entry;
  }

  /** Newest first. */
  async list(actor: Actor, { cursor, limit = PAGE, ...filter }: ListAuditEntries): Promise<Page<AuditEntry>> {
    assertAdministrator(actor);
    const rows = await this.entries.newest(
      filter,
      cursor === undefined ? undefined : keyOf(cursor),
      limit + 1,
    );
    const data = rows.slice(0, limit).map(auditEntryView);
    const last = data.at(-1);
    const hasMore = rows.length > limit;
    return { data, ...(hasMore && last && { cursor: cursorOf(last) }), hasMore };
  }

  /** Oldest first, up to the entry that this export itself leaves: one JSON text a line, a page at a time. */
  async export(actor: Actor, filter: ExportAuditEntries): Promise<AsyncIterable<string>> {
    assertAdministrator(actor);
    const own = await this.unitOfWork.run((tx) =>
      this.append(tx, actor, {
        act: 'audit.export',
        target: { type: 'audit-log', id: 'all' },
        after: filter,
      }),
    );
    return this.lines(filter, { at: new Date(own.at), id: own.id });
  }

  private async *lines(filter: ExportAuditEntries, last: AuditKey): AsyncGenerator<string> {
    let after: AuditKey | undefined;
    for (;;) {
      const page = await this.entries.oldest(filter, after, last, EXPORT_PAGE);
      if (page.length > 0) yield page.map((row) => `${JSON.stringify(auditEntryView(row))}\n`).join('');
      if (page.length < EXPORT_PAGE) return;
      after = page.at(-1);
    }
  }
}

function cursorOf({ at, id }: AuditEntry): string {
  return Buffer.from(`${String(Date.parse(at))} ${id}`).toString('base64url');
}

function keyOf(cursor: string): AuditKey {
  const [, at, id] = CURSOR.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (at === undefined || id === undefined) throw AppError.invalid('cursor', 'is not a cursor of this list');
  return { at: new Date(Number(at)), id };
}

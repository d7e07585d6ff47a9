import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { AuditEntry } from '../contract/admin.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { AppError } from '../platform/errors/app-error.js';
import { sqlStateOf } from '../platform/errors/database-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { assertAdministrator } from '../platform/identity/administrator.js';
import { auditEntryView } from './audit-entry.view.js';
import { AuditLog } from './audit-log.service.js';
import { AuditRepository, type AuditFilter, type AuditKey } from './audit.repository.js';

export type ExportAuditEntries = Pick<AuditFilter, 'since' | 'until'>;

const PAGE = 500;
/** From the request until acts that do not end are given up on. */
const PATIENCE_MS = 8000;
/** New acts wait behind an export that waits for old ones: briefly, and then they get their turn. */
const LOCK_WAIT_MS = 100;
const RETRY_MS = 100;

/**
 * The log as text. Its bound is the entry of the export itself, written while no other act has an entry that is not
 * committed: what is not in this export is not older than its bound, and `since` the bound finds it.
 */
@Injectable()
export class AuditExport {
  constructor(
    private readonly log: AuditLog,
    private readonly entries: AuditRepository,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Oldest first, up to the entry that this export leaves, if `until` admits it: one JSON text a line, a page at a time. */
  async export(actor: Actor, filter: ExportAuditEntries): Promise<AsyncIterable<string>> {
    assertAdministrator(actor);
    const bound = await this.bound(actor, filter);
    return this.lines(filter, { at: new Date(bound.at), id: bound.id });
  }

  /** A lock is asked for again and again, each time only briefly: an act that is stuck must not keep all others waiting. */
  private async bound(actor: Actor, filter: ExportAuditEntries): Promise<AuditEntry> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        return await this.unitOfWork.run(async (tx) => {
          await this.entries.holdAlone(tx, LOCK_WAIT_MS);
          return this.log.append(tx, actor, {
            act: 'audit.export',
            target: { type: 'audit-log', id: 'all' },
            after: filter,
          });
        });
      } catch (error) {
        if (sqlStateOf(error) !== '55P03') throw error;
      }
      if (performance.now() >= deadline)
        throw new AppError('UNAVAILABLE', 'An act is still being written', { retryAfterMs: 1000 });
      await pause(RETRY_MS);
    }
  }

  private async *lines(filter: ExportAuditEntries, bound: AuditKey): AsyncGenerator<string> {
    let after: AuditKey | undefined;
    for (;;) {
      const page = await this.entries.oldest(filter, after, bound, PAGE);
      if (page.length > 0) yield page.map((row) => `${JSON.stringify(auditEntryView(row))}\n`).join('');
      if (page.length < PAGE) return;
      after = page.at(-1);
    }
  }
}

import { Injectable } from '@nestjs/common';
import { v7 as uuid } from 'uuid';
import type { AuditEntry } from '../contract/admin.js';
import type { Page } from '../contract/rest.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { assertAdministrator } from '../platform/identity/administrator.js';
import { currentRequestId } from '../platform/identity/request-context.js';
import { auditEntryView } from './audit-entry.view.js';
import { AuditAppended } from './audit.events.js';
import { assertNoSecrets } from './audit.policy.js';
import { AuditRepository, type AuditFilter, type AuditKey, type NewAuditEntry } from './audit.repository.js';

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

/** Of many acts: whose each was, and in which request. */
export interface ActOf extends Act {
  /** null: the system. */
  actor: Actor | null;
  requestId: string | undefined;
}

export interface ListAuditEntries extends AuditFilter {
  cursor?: string;
  limit?: number;
}

const PAGE = 50;
const CURSOR = /^(\d{1,15}) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** Who did what, when and why: appended to in the transaction of the act, read by administrators. */
@Injectable()
export class AuditLog {
  constructor(private readonly entries: AuditRepository) {}

  /** In the transaction of the act: neither is there without the other. `actor` null: the system. */
  async append(tx: Transaction, actor: Actor | null, act: Act): Promise<AuditEntry> {
    const [entry] = await this.appendAll(tx, [{ ...act, actor, requestId: currentRequestId() }]);
    if (!entry) throw new Error('An act left no entry');
    return entry;
  }

  /** The same for acts of several people, with one statement. */
  async appendAll(tx: Transaction, acts: ActOf[]): Promise<AuditEntry[]> {
    if (acts.length === 0) return [];
    const rows = await this.entries.insert(tx, acts.map(entryOf));
    const entries = rows.map(auditEntryView);
    for (const entry of entries) tx.raise(new AuditAppended(entry));
    return entries;
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
}

function entryOf({ actor, requestId, act, target, roomId, reason, before, after }: ActOf): NewAuditEntry {
  assertNoSecrets(before);
  assertNoSecrets(after);
  return {
    id: uuid(),
    actorId: actor?.userId ?? null,
    actorName: actor?.name ?? null,
    act,
    targetType: target.type,
    targetId: target.id,
    roomId: roomId ?? null,
    reason: reason ?? null,
    requestId: requestId ?? null,
    before: before ?? null,
    after: after ?? null,
  };
}

function cursorOf({ at, id }: AuditEntry): string {
  return Buffer.from(`${String(Date.parse(at))} ${id}`).toString('base64url');
}

function keyOf(cursor: string): AuditKey {
  const [, at, id] = CURSOR.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (at === undefined || id === undefined) throw AppError.invalid('cursor', 'is not a cursor of this list');
  return { at: new Date(Number(at)), id };
}

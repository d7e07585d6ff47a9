import { Injectable } from '@nestjs/common';
import { v7 as uuid } from 'uuid';
import { AuditLog } from '../audit/audit-log.service.js';
import type { FilterAction, FilterKind, FilterRule } from '../contract/moderation.js';
import type { Page } from '../contract/rest.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { assertAdministrator } from '../platform/identity/administrator.js';
import { ModerationLock } from '../rooms/moderation-lock.service.js';
import { ActingAdministrator } from '../users/acting-administrator.service.js';
import type { FilterRuleEntity } from './filter-rule.entity.js';
import { FilterRulesRepository } from './filter-rules.repository.js';
import { keyOfPattern } from './message-filter.js';

export interface CreateFilterRule {
  kind: FilterKind;
  pattern: string;
  action: FilterAction;
  reason: string;
}
export interface DeleteFilterRule {
  id: string;
  reason: string;
}

const PAGE = 100;
const MOST_RULES = 5000;

/** What messages may not carry, of the whole installation. In force for the next batch of every node. */
@Injectable()
export class FilterRules {
  constructor(
    private readonly acting: ActingAdministrator,
    private readonly moderation: ModerationLock,
    private readonly rules: FilterRulesRepository,
    private readonly audit: AuditLog,
  ) {}

  /** Oldest first. */
  async list(actor: Actor, { cursor }: { cursor?: string }): Promise<Page<FilterRule>> {
    assertAdministrator(actor);
    const rows = await this.rules.page(cursor, PAGE + 1);
    const data = rows.slice(0, PAGE).map(filterRuleView);
    const last = data.at(-1);
    const hasMore = rows.length > PAGE;
    return { data, ...(hasMore && last && { cursor: last.id }), hasMore };
  }

  /** The same rule once more changes nothing; another action for the same pattern is a CONFLICT. */
  async create(actor: Actor, { kind, pattern, action, reason }: CreateFilterRule): Promise<FilterRule> {
    assertAdministrator(actor);
    const key = keyOfPattern(kind, pattern);
    if (key === undefined)
      throw AppError.invalid(
        'pattern',
        kind === 'link' ? 'must be a host name' : 'must have something to see',
      );
    return this.moderation.alone(async (tx) => {
      await this.acting.assert(tx, actor);
      const known = await this.rules.withKey(tx, kind, key);
      if (known?.action === action) return filterRuleView(known);
      if (known) throw new AppError('CONFLICT', 'There is a rule with this pattern and another action');
      if ((await this.rules.count(tx)) >= MOST_RULES)
        throw new AppError('LIMIT_EXCEEDED', `There are at most ${String(MOST_RULES)} rules`);
      const row = await this.rules.insert(tx, { id: uuid(), kind, pattern, key, action });
      await this.audit.append(tx, actor, {
        act: 'filter.create',
        target: { type: 'filter', id: row.id },
        reason,
        after: { kind, pattern, action },
      });
      return filterRuleView(row);
    });
  }

  async delete(actor: Actor, { id, reason }: DeleteFilterRule): Promise<void> {
    assertAdministrator(actor);
    await this.moderation.alone(async (tx) => {
      await this.acting.assert(tx, actor);
      const row = await this.rules.find(tx, id);
      if (!row) throw new AppError('NOT_FOUND', 'There is no such rule');
      await this.rules.remove(tx, id);
      const { kind, pattern, action } = row;
      await this.audit.append(tx, actor, {
        act: 'filter.delete',
        target: { type: 'filter', id },
        reason,
        before: { kind, pattern, action },
      });
    });
  }
}

function filterRuleView({ id, kind, pattern, action, createdAt }: FilterRuleEntity): FilterRule {
  return { id, kind, pattern, action, createdAt: createdAt.toISOString() };
}

import { Injectable } from '@nestjs/common';
import { DataSource, MoreThan } from 'typeorm';
import type { FilterKind } from '../contract/moderation.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { FilterRuleEntity } from './filter-rule.entity.js';

/** The tables `filter_rules` and `filter_rule_set`. */
@Injectable()
export class FilterRulesRepository {
  constructor(private readonly dataSource: DataSource) {}

  all(tx: Transaction): Promise<FilterRuleEntity[]> {
    return tx.manager.find(FilterRuleEntity, { order: { id: 'ASC' } });
  }

  count(tx: Transaction): Promise<number> {
    return tx.manager.count(FilterRuleEntity);
  }

  page(after: string | undefined, limit: number): Promise<FilterRuleEntity[]> {
    return this.dataSource.manager.find(FilterRuleEntity, {
      where: after === undefined ? {} : { id: MoreThan(after) },
      order: { id: 'ASC' },
      take: limit,
    });
  }

  withKey(tx: Transaction, kind: FilterKind, key: string): Promise<FilterRuleEntity | null> {
    return tx.manager.findOneBy(FilterRuleEntity, { kind, key });
  }

  find(tx: Transaction, id: string): Promise<FilterRuleEntity | null> {
    return tx.manager.findOneBy(FilterRuleEntity, { id });
  }

  async insert(tx: Transaction, row: Omit<FilterRuleEntity, 'createdAt'>): Promise<FilterRuleEntity> {
    const result = await tx.manager
      .createQueryBuilder()
      .insert()
      .into(FilterRuleEntity)
      .values(row)
      .returning('created_at')
      .execute();
    await nextVersion(tx);
    const [{ created_at: createdAt }] = result.raw as [{ created_at: Date }];
    return { ...row, createdAt };
  }

  async remove(tx: Transaction, id: string): Promise<void> {
    await tx.manager.delete(FilterRuleEntity, { id });
    await nextVersion(tx);
  }
}

async function nextVersion(tx: Transaction): Promise<void> {
  await tx.manager.query('UPDATE filter_rule_set SET version = version + 1');
}

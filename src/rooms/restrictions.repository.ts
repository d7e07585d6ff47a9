import { Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { EVERYWHERE, RestrictionEntity } from './restriction.entity.js';

export type RestrictionKey = Pick<RestrictionEntity, 'scope' | 'userId' | 'kind'>;
export type NewRestriction = Omit<RestrictionEntity, 'user' | 'createdAt'>;

const ACTIVE = `(restriction.until IS NULL OR restriction.until > clock_timestamp())`;

/** The table `restrictions`. Expired rows count nowhere and go when they are lifted or replaced. */
@Injectable()
export class RestrictionsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** The bans of these people, from this room or everywhere. */
  bansAmong(tx: Transaction, roomId: string, userIds: string[]): Promise<RestrictionEntity[]> {
    return tx.manager
      .createQueryBuilder(RestrictionEntity, 'restriction')
      .where({ userId: In(userIds), scope: In([roomId, EVERYWHERE]), kind: 'ban' })
      .andWhere(ACTIVE)
      .getMany();
  }

  active(tx: Transaction, key: RestrictionKey): Promise<RestrictionEntity | null> {
    return tx.manager
      .createQueryBuilder(RestrictionEntity, 'restriction')
      .where({ ...key })
      .andWhere(ACTIVE)
      .getOne();
  }

  /** In place of the one there may be. Nothing when its end has passed. */
  async put(tx: Transaction, row: NewRestriction): Promise<RestrictionEntity | null> {
    const { userId, scope, kind, until, reason, createdBy, createdByName, byAdministrator } = row;
    const [stored] = await tx.manager.query<{ created_at: Date }[]>(
      `INSERT INTO restrictions AS r (user_id, scope, kind, until, reason, created_by, created_by_name, by_administrator)
       SELECT $1, $2, $3, $4::timestamptz, $5, $6, $7, $8::boolean
        WHERE $4::timestamptz IS NULL OR $4::timestamptz > clock_timestamp()
       ON CONFLICT (user_id, scope, kind) DO UPDATE
          SET until = excluded.until, reason = excluded.reason, created_by = excluded.created_by,
              created_by_name = excluded.created_by_name, by_administrator = excluded.by_administrator,
              created_at = excluded.created_at
       RETURNING created_at`,
      [userId, scope, kind, until, reason, createdBy, createdByName, byAdministrator],
    );
    return stored ? Object.assign(new RestrictionEntity(), { ...row, createdAt: stored.created_at }) : null;
  }

  async remove(tx: Transaction, key: RestrictionKey): Promise<void> {
    await tx.manager.delete(RestrictionEntity, key);
  }

  /** What counts now, by scope, user and kind, from behind `after`. */
  page(
    { scope, userId }: { scope?: string | undefined; userId?: string | undefined },
    after: RestrictionKey | undefined,
    limit: number,
  ): Promise<RestrictionEntity[]> {
    const query = this.dataSource.manager.createQueryBuilder(RestrictionEntity, 'restriction').where(ACTIVE);
    if (scope !== undefined) query.andWhere('restriction.scope = :scope', { scope });
    if (userId !== undefined) query.andWhere('restriction.userId = :userId', { userId });
    if (after)
      query.andWhere(
        '(restriction.scope, restriction.userId, restriction.kind) > (:afterScope, :afterUser, :afterKind)',
        { afterScope: after.scope, afterUser: after.userId, afterKind: after.kind },
      );
    return query
      .orderBy('restriction.scope')
      .addOrderBy('restriction.userId')
      .addOrderBy('restriction.kind')
      .limit(limit)
      .getMany();
  }
}

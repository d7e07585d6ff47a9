import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { PushSubscriptionEntity } from './push-subscription.entity.js';

export type NewPushSubscription = Omit<PushSubscriptionEntity, 'user' | 'createdAt' | 'failedAt'>;

/** A place to push to. */
export type PushTarget = Pick<PushSubscriptionEntity, 'id' | 'userId' | 'endpoint' | 'p256dh' | 'auth'>;
export type SubscriptionOfUser = Pick<PushSubscriptionEntity, 'id' | 'userId'>;

const OF_ACTIVE = 'FROM push_subscriptions s JOIN users u ON u.id = s.user_id AND u.suspended_at IS NULL';

/** The table `push_subscriptions`. */
@Injectable()
export class PushSubscriptionsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Newest first. */
  list(userId: string): Promise<PushSubscriptionEntity[]> {
    return this.dataSource
      .getRepository(PushSubscriptionEntity)
      .find({ where: { userId }, order: { createdAt: 'DESC', id: 'DESC' } });
  }

  /** An endpoint is one browser: whoever subscribes it last is told there. It keeps its id while it keeps its user. */
  async save(tx: Transaction, subscription: NewPushSubscription): Promise<PushSubscriptionEntity> {
    const { id, userId, endpoint, p256dh, auth, userAgent } = subscription;
    await tx.manager.query(
      `INSERT INTO push_subscriptions AS s (id, user_id, endpoint, p256dh, auth, user_agent)
       VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (endpoint) DO UPDATE
         SET id = CASE WHEN s.user_id = excluded.user_id THEN s.id ELSE excluded.id END,
             user_id = excluded.user_id, p256dh = excluded.p256dh, auth = excluded.auth,
             user_agent = excluded.user_agent, created_at = clock_timestamp(), failed_at = NULL`,
      [id, userId, endpoint, p256dh, auth, userAgent],
    );
    return tx.manager.getRepository(PushSubscriptionEntity).findOneByOrFail({ endpoint });
  }

  async keepNewest(tx: Transaction, userId: string, most: number): Promise<void> {
    await tx.manager.query(
      `DELETE FROM push_subscriptions WHERE id IN
         (SELECT id FROM push_subscriptions WHERE user_id = $1 ORDER BY created_at DESC, id DESC OFFSET $2)`,
      [userId, most],
    );
  }

  /** False when this user has none of that id. */
  async remove(tx: Transaction, userId: string, id: string): Promise<boolean> {
    const { affected } = await tx.manager.delete(PushSubscriptionEntity, { id, userId });
    return affected === 1;
  }

  /** Those of the users who are not suspended. */
  ofUsers({ manager }: Transaction, userIds: readonly string[]): Promise<SubscriptionOfUser[]> {
    return manager.query<SubscriptionOfUser[]>(
      `SELECT s.id, s.user_id AS "userId" ${OF_ACTIVE} WHERE s.user_id = ANY($1::text[]) ORDER BY s.id`,
      [userIds],
    );
  }

  /** All of all users, in the order of their ids, from behind `after`. */
  page({ manager }: Transaction, after: string, limit: number): Promise<SubscriptionOfUser[]> {
    return manager.query<SubscriptionOfUser[]>(
      `SELECT s.id, s.user_id AS "userId" ${OF_ACTIVE} WHERE s.id > $1::uuid ORDER BY s.id LIMIT $2`,
      [after, limit],
    );
  }

  /** None when it is gone, belongs to somebody else by now, or its user is suspended. */
  async target(id: string, userId: string): Promise<PushTarget | undefined> {
    const [row] = await this.dataSource.query<PushTarget[]>(
      `SELECT s.id, s.user_id AS "userId", s.endpoint, s.p256dh, s.auth ${OF_ACTIVE}
        WHERE s.id = $1 AND s.user_id = $2`,
      [id, userId],
    );
    return row;
  }

  /** Unless the browser has subscribed anew meanwhile. */
  async dropGone({ id, endpoint, p256dh }: PushTarget): Promise<void> {
    await this.dataSource.query(
      'DELETE FROM push_subscriptions WHERE id = $1 AND endpoint = $2 AND p256dh = $3',
      [id, endpoint, p256dh],
    );
  }

  async markFailing(id: string): Promise<void> {
    await this.dataSource.query(
      'UPDATE push_subscriptions SET failed_at = clock_timestamp() WHERE id = $1 AND failed_at IS NULL',
      [id],
    );
  }

  async markWorking(id: string): Promise<void> {
    await this.dataSource.query(
      'UPDATE push_subscriptions SET failed_at = NULL WHERE id = $1 AND failed_at IS NOT NULL',
      [id],
    );
  }
}

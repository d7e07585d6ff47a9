import type { PushSubscription } from '../contract/rest.js';
import type { PushSubscriptionEntity } from './push-subscription.entity.js';

export function pushSubscriptionView(row: PushSubscriptionEntity): PushSubscription {
  return {
    id: row.id,
    service: new URL(row.endpoint).host,
    ...(row.userAgent !== null && { userAgent: row.userAgent }),
    createdAt: row.createdAt.toISOString(),
    ...(row.failedAt && { failedAt: row.failedAt.toISOString() }),
  };
}

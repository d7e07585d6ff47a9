import type { Restriction } from '../contract/moderation.js';
import { EVERYWHERE, type RestrictionEntity } from './restriction.entity.js';

export function restrictionView(row: Omit<RestrictionEntity, 'user'>): Restriction {
  return {
    userId: row.userId,
    kind: row.kind,
    ...(row.scope !== EVERYWHERE && { roomId: row.scope }),
    reason: row.reason,
    ...(row.until && { until: row.until.toISOString() }),
    createdBy: { id: row.createdBy, name: row.createdByName },
    createdAt: row.createdAt.toISOString(),
  };
}

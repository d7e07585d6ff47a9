import { isoTime, opaque, optional, userId } from '../../harness/hostile.js';
import type { World } from '../hostile-world.js';
import { anyText, digits, type Routes } from './route.js';

export function auditRoutes({ root }: World): Routes {
  const period = {
    since: optional('2020-01-31T12:00:00Z', isoTime()),
    until: optional('2090-01-31T12:00:00.5Z', isoTime()),
  };
  return {
    'GET /api/v1/audit-log': {
      query: {
        ...period,
        cursor: optional(undefined, opaque),
        limit: optional('10', digits(1, 100)),
        actorId: optional(root.id, userId),
        act: optional('user.suspend', anyText(64)),
        targetId: optional('nobody', anyText(128)),
      },
      byAdministrator: true,
    },
    'GET /api/v1/audit-log/export': { query: period, byAdministrator: true },
  };
}

import {
  matching,
  needed,
  oneOf,
  opaque,
  optional,
  roomId,
  text,
  userId,
  uuid,
  visible,
} from '../../harness/hostile.js';
import type { World } from '../hostile-world.js';
import { digits, type Routes } from './route.js';

/** Of nothing that is there: whoever may act is told NOT_FOUND. */
const MISSING = '01890000-0000-7000-8000-000000000000';

/** What administrators do; `byAdministrator` each. */
export function adminRoutes(world: World): Routes {
  const room = { roomId: needed(world.toFreeze, roomId) };
  const user = { userId: needed(world.victim, userId) };
  const because = { reason: needed('As agreed', visible('\n', text(1, 500))) };
  const byAdministrator = true;
  return {
    'GET /api/v1/admin/stats': { byAdministrator },
    'GET /api/v1/admin/connections': {
      query: { cursor: optional(MISSING, uuid), userId: optional(undefined, userId) },
      byAdministrator,
    },
    'POST /api/v1/admin/announcements': {
      body: {
        ...because,
        title: needed('Maintenance', visible('', text(1, 200))),
        body: needed('Tonight at ten', visible('\n', text(1, 2000))),
      },
      byAdministrator,
    },
    'GET /api/v1/admin/users': {
      query: {
        query: optional('al', (value) => typeof value === 'string' && value.length <= 100),
        suspended: optional('true', oneOf('true', 'false')),
        cursor: optional(undefined, opaque),
        limit: optional('10', digits(1, 100)),
      },
      byAdministrator,
    },
    'POST /api/v1/admin/users/:userId/disconnect': { path: user, body: because, byAdministrator },
    'POST /api/v1/admin/users/:userId/suspend': { path: user, body: because, byAdministrator },
    'POST /api/v1/admin/users/:userId/resume': { path: user, body: because, byAdministrator },
    'PUT /api/v1/admin/users/:userId/role': {
      path: user,
      body: { ...because, role: needed('user', oneOf('user', 'admin')) },
      byAdministrator,
    },
    'PUT /api/v1/admin/rooms/:roomId/freeze': { path: room, body: because, byAdministrator },
    'DELETE /api/v1/admin/rooms/:roomId/freeze': { path: room, query: because, byAdministrator },
    'DELETE /api/v1/admin/messages/:messageId': {
      path: { messageId: needed(world.toDelete, uuid) },
      query: because,
      byAdministrator,
    },
    'GET /api/v1/admin/jobs': {
      query: {
        queue: optional(
          'email',
          (value) => typeof value === 'string' && value.length >= 1 && value.length <= 64,
        ),
        cursor: optional(undefined, uuid),
      },
      byAdministrator,
    },
    'POST /api/v1/admin/jobs/:id/retry': {
      path: { id: needed(MISSING, uuid) },
      body: because,
      byAdministrator,
      status: 404,
    },
    'GET /api/v1/admin/outbox': {
      query: { cursor: optional(undefined, digits(0, 999_999_999_999_999)) },
      byAdministrator,
    },
    'POST /api/v1/admin/outbox/:id/retry': {
      path: { id: needed('999999', matching(/^\d{1,15}$/)) },
      body: because,
      byAdministrator,
      status: 404,
    },
  };
}

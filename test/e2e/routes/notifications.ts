import {
  distinct,
  listOf,
  needed,
  nothing,
  oneOf,
  opaque,
  optional,
  text,
  userId,
  uuid,
  visible,
} from '../../harness/hostile.js';
import type { World } from '../hostile-world.js';
import { notificationPayloads } from '../payloads/notifications.js';
import { digits, type Routes } from './route.js';

export function notificationRoutes(world: World): Routes {
  const payloads = notificationPayloads(world);
  const limit = optional('10', digits(1, 100));
  return {
    'GET /api/v1/notifications': {
      query: {
        cursor: optional(undefined, opaque),
        filter: optional('unread', oneOf('all', 'unread', 'archived')),
        limit,
      },
    },
    'GET /api/v1/notifications/:notificationId': {
      path: { notificationId: needed(world.message, uuid) },
      status: 404,
    },
    'GET /api/v1/notifications/decisions': {
      query: {
        messageId: needed(world.message, uuid),
        userId: optional(world.bob.id, userId),
        cursor: optional('a', userId),
        limit,
      },
      byAdministrator: true,
    },
    'POST /api/v1/notifications/seen': {},
    'POST /api/v1/notifications/read': { body: payloads['notification:read'] },
    'POST /api/v1/notifications/archive': { body: payloads['notification:archive'] },
    // Without its Idempotency-Key; test/e2e/notifications-inbox.spec.ts has the rest.
    'POST /api/v1/notifications': {
      body: {
        userIds: needed([world.bob.id], distinct(listOf(100, userId, { min: 1, item: String }))),
        title: needed('Title', visible('', text(1, 200))),
        body: optional('Body', visible('\n', text(0, 500))),
        url: optional('https://example.com/', nothing),
      },
      byAdministrator: true,
      status: 400,
    },
    'GET /api/v1/notification-preferences': {},
    'PUT /api/v1/notification-preferences': { body: payloads['preference:set'] },
  };
}

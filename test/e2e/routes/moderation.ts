import {
  isoTime,
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
import type { Routes } from './route.js';

/** Of nothing that is there: whoever may act is told NOT_FOUND. */
const MISSING = '01890000-0000-7000-8000-000000000000';

export function moderationRoutes(world: World): Routes {
  const user = { userId: needed(world.victim, userId) };
  const inRoom = { roomId: needed(world.hall, roomId), ...user };
  const because = { reason: needed('As agreed', visible('\n', text(1, 500))) };
  const restriction = { ...because, until: optional('2090-01-31T12:00:00Z', isoTime()) };
  const byAdministrator = true;
  return {
    'PUT /api/v1/moderation/rooms/:roomId/mutes/:userId': { path: inRoom, body: restriction },
    'DELETE /api/v1/moderation/rooms/:roomId/mutes/:userId': { path: inRoom, query: because },
    'PUT /api/v1/moderation/rooms/:roomId/bans/:userId': { path: inRoom, body: restriction },
    'DELETE /api/v1/moderation/rooms/:roomId/bans/:userId': { path: inRoom, query: because },
    'PUT /api/v1/moderation/mutes/:userId': { path: user, body: restriction, byAdministrator },
    'DELETE /api/v1/moderation/mutes/:userId': { path: user, query: because, byAdministrator },
    'PUT /api/v1/moderation/bans/:userId': { path: user, body: restriction, byAdministrator },
    'DELETE /api/v1/moderation/bans/:userId': { path: user, query: because, byAdministrator },
    'GET /api/v1/moderation/restrictions': {
      query: {
        roomId: optional(world.hall, roomId),
        userId: optional(world.victim, userId),
        cursor: optional(undefined, opaque),
      },
      byAdministrator,
    },
    'GET /api/v1/moderation/filters': { query: { cursor: optional(MISSING, uuid) }, byAdministrator },
    'POST /api/v1/moderation/filters': {
      body: {
        ...because,
        kind: needed('word', oneOf('word', 'link')),
        pattern: needed('zqword', visible('', text(1, 200))),
        action: needed('flag', oneOf('reject', 'mask', 'flag')),
      },
      byAdministrator,
    },
    'DELETE /api/v1/moderation/filters/:id': {
      path: { id: needed(MISSING, uuid) },
      query: because,
      byAdministrator,
      status: 404,
    },
    'POST /api/v1/moderation/reports': { body: { ...because, messageId: needed(world.message, uuid) } },
    'GET /api/v1/moderation/reports': {
      query: {
        status: optional('open', oneOf('open', 'resolved', 'dismissed')),
        roomId: optional(world.hall, roomId),
        cursor: optional(MISSING, uuid),
      },
      byAdministrator,
    },
    'POST /api/v1/moderation/reports/:id/close': {
      path: { id: needed(MISSING, uuid) },
      body: {
        status: needed('resolved', oneOf('resolved', 'dismissed')),
        note: optional('Talked to them', visible('\n', text(1, 500))),
      },
      byAdministrator,
      status: 404,
    },
  };
}

import { needed, optional, roomId, userId } from '../../harness/hostile.js';
import type { World } from '../hostile-world.js';
import { chatPayloads } from '../payloads/chat.js';
import { digits, type Routes } from './route.js';

/** Rooms, their members and what happens in them. */
export function roomRoutes(world: World): Routes {
  const chat = chatPayloads(world);
  const room = { roomId: needed(world.hall, roomId) };
  const member = { ...room, userId: needed(world.stranger, userId) };
  const { roomId: _update, ...changes } = chat['room:update'];
  const { roomId: _signal, ...signal } = chat['room:signal'];
  const { roomId: _read, ...read } = chat['message:read'];
  return {
    'GET /api/v1/rooms': { query: { cursor: optional('a', roomId) } },
    'POST /api/v1/rooms': { body: chat['room:create'] },
    'GET /api/v1/rooms/:roomId': { path: room },
    'PATCH /api/v1/rooms/:roomId': { path: { roomId: needed(world.toChange, roomId) }, body: changes },
    'DELETE /api/v1/rooms/:roomId': { path: { roomId: needed(world.toLeave, roomId) } },
    'POST /api/v1/rooms/:roomId/signals': { path: room, body: signal },
    'GET /api/v1/rooms/:roomId/members': { path: room, query: { cursor: optional('a', userId) } },
    'POST /api/v1/rooms/:roomId/members': {
      path: room,
      body: {
        userId: needed(world.stranger, userId),
        role: optional('member', (value) => value === 'member'),
      },
    },
    'PATCH /api/v1/rooms/:roomId/members/:userId': {
      path: member,
      body: { role: needed('member', (value) => value === 'member') },
    },
    'DELETE /api/v1/rooms/:roomId/members/:userId': { path: member },
    'GET /api/v1/rooms/:roomId/changes': {
      path: room,
      query: { since: needed('0', digits(0, 2_147_483_647)), limit: optional('10', digits(1, 500)) },
    },
    'POST /api/v1/rooms/:roomId/read': { path: room, body: read },
    'GET /api/v1/me/unread': {},
  };
}

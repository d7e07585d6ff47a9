import { emoji, needed, optional, roomId, text, uuid } from '../../harness/hostile.js';
import type { World } from '../hostile-world.js';
import { chatPayloads } from '../payloads/chat.js';
import { digits, type Routes } from './route.js';

export function messageRoutes(world: World): Routes {
  const room = { roomId: needed(world.hall, roomId) };
  const message = { messageId: needed(world.message, uuid) };
  const reaction = { ...message, emoji: needed('👍', emoji) };
  const { roomId: _send, ...newMessage } = chatPayloads(world)['message:send'];
  return {
    'GET /api/v1/rooms/:roomId/messages': {
      path: room,
      query: {
        threadId: optional(undefined, uuid),
        before: optional('2', digits(0, 2_147_483_647)),
        after: optional(undefined, digits(0, 2_147_483_647)),
        around: optional(undefined, digits(0, 2_147_483_647)),
        limit: optional('10', digits(1, 100)),
      },
    },
    'POST /api/v1/rooms/:roomId/messages': { path: room, body: newMessage },
    'PATCH /api/v1/messages/:messageId': {
      path: message,
      body: { content: needed('changed', text(0, 5000)) },
    },
    'DELETE /api/v1/messages/:messageId': {
      path: { messageId: needed(world.toDelete, uuid) },
      body: { reason: optional('spam', (value) => typeof value === 'string' && value.length <= 500) },
    },
    'PUT /api/v1/messages/:messageId/reactions/:emoji': { path: reaction },
    'DELETE /api/v1/messages/:messageId/reactions/:emoji': { path: reaction },
    'PUT /api/v1/messages/:messageId/pin': { path: message },
    'DELETE /api/v1/messages/:messageId/pin': { path: message },
  };
}

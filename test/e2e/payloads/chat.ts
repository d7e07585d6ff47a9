import {
  boolean,
  emoji,
  integer,
  json,
  listOf,
  matching,
  needed,
  nothing,
  oneOf,
  optional,
  position,
  roomId,
  text,
  userId,
  uuid,
  visible,
} from '../../harness/hostile.js';
import type { World } from '../hostile-world.js';
import type { PayloadsOf } from './payloads.js';

export function chatPayloads(world: World): PayloadsOf<'/chat'> {
  const inHall = needed(world.hall, roomId);
  const thatMessage = needed(world.message, uuid);
  const roles = oneOf('owner', 'admin', 'member');
  const name = visible('', (value) => text(1, 5000)(value) && (value as string).length <= 100);
  const line = (max: number) => (value: unknown) => typeof value === 'string' && value.length <= max;
  return {
    'room:join': { roomId: inHall, roomName: optional('Hall', name), since: optional(0, position) },
    'room:leave': { roomId: needed(world.toLeave, roomId) },
    'room:create': {
      roomId: optional(undefined, roomId),
      name: optional('A room', name),
      type: needed('public', oneOf('public', 'private', 'direct', 'announcement')),
      memberIds: optional([world.bob.id], listOf(100, userId)),
      history: optional('since_join', oneOf('full', 'since_join')),
    },
    'room:list': { cursor: optional('a', roomId) },
    'room:members': { roomId: inHall, cursor: optional('a', userId) },
    'room:invite': {
      roomId: inHall,
      userId: needed(world.stranger, userId),
      role: optional('member', roles),
    },
    'room:kick': { roomId: inHall, userId: needed(world.toKick, userId) },
    'room:role': { roomId: inHall, userId: needed(world.bob.id, userId), role: needed('admin', roles) },
    'room:update': {
      roomId: needed(world.toChange, roomId),
      name: optional('Changed', name),
      topic: optional('Topic', visible('\n', line(500))),
      slowModeSeconds: optional(0, integer(0, 21_600)),
      archived: optional(false, boolean),
    },
    'room:sync': { roomId: inHall, since: needed(0, position), limit: optional(500, integer(1, 500)) },
    'room:positions': { roomIds: needed([world.hall], listOf(500, roomId)) },
    'room:signal': {
      roomId: inHall,
      kind: needed('cursor', matching(/^[A-Za-z0-9_.:-]{1,64}$/)),
      data: needed({ x: 1 }, json(8192)),
    },
    'message:send': {
      roomId: inHall,
      content: needed('hello', text(0, 5000)),
      type: optional(
        'x-note',
        (value) => value === 'text' || matching(/^x-[a-z0-9][a-z0-9._-]{0,61}$/)(value),
      ),
      data: optional({ a: [1] }, json(8192)),
      clientMessageId: optional(
        undefined,
        (value) => typeof value === 'string' && value.length >= 1 && value.length <= 64,
      ),
      replyTo: optional(world.message, uuid),
      threadId: optional(undefined, uuid),
      mentions: optional([world.bob.id], listOf(50, userId)),
    },
    'message:edit': { messageId: thatMessage, content: needed('changed', text(0, 5000)) },
    'message:delete': { messageId: needed(world.toDelete, uuid), reason: optional('spam', line(500)) },
    'message:react': {
      messageId: thatMessage,
      emoji: needed('👍', emoji),
      on: needed(true, boolean),
    },
    'message:pin': { messageId: thatMessage, on: needed(true, boolean) },
    'message:read': { roomId: inHall, seq: optional(1, position), messageId: optional(undefined, uuid) },
    'message:history': {
      roomId: inHall,
      threadId: optional(undefined, uuid),
      before: optional(undefined, position),
      after: optional(undefined, position),
      around: optional(1, position),
      limit: optional(100, integer(1, 100)),
    },
    'typing:start': { roomId: inHall, threadId: optional(undefined, uuid) },
    'typing:stop': { roomId: inHall, threadId: optional(undefined, uuid) },
    'auth:refresh': { token: needed(world.alice.session.accessToken, nothing) },
  };
}

import type { ChatCommand, ChatCommands } from '../../src/contract/chat.js';
import type { Actor } from '../harness/actor.js';
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
  type Field,
} from '../harness/hostile.js';

/** Every field of every command, also those its valid example leaves out. A new command or field does not compile without its row. */
export type ChatPayloads = {
  [C in ChatCommand]: { [F in keyof Required<ChatCommands[C]['payload']>]: Field };
};

/** What the examples are about: made once, so that no example spoils it for the others. */
export interface World {
  /** Alice owns them all. */
  hall: string;
  toLeave: string;
  toChange: string;
  message: string;
  toDelete: string;
  bob: string;
  toKick: string;
  stranger: string;
  token: string;
}

export async function makeWorld(alice: Actor, [bob, carol, dave]: [Actor, Actor, Actor]): Promise<World> {
  for (const room of ['hall', 'to-leave', 'to-change'])
    await alice.does('room:create', {
      roomId: room,
      name: room,
      type: 'public',
      memberIds: [bob.id, carol.id],
    });
  const { messageId: message } = await alice.sends('hall', 'hello', { type: 'x-note', data: { a: 1 } });
  const { messageId: toDelete } = await alice.sends('hall', 'to delete');
  await alice.does('room:role', { roomId: 'to-leave', userId: bob.id, role: 'owner' });
  return {
    hall: 'hall',
    toLeave: 'to-leave',
    toChange: 'to-change',
    message,
    toDelete,
    bob: bob.id,
    toKick: carol.id,
    stranger: dave.id,
    token: alice.session.accessToken,
  };
}

export function chatPayloads(world: World): ChatPayloads {
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
      memberIds: optional([world.bob], listOf(100, userId)),
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
    'room:role': { roomId: inHall, userId: needed(world.bob, userId), role: needed('admin', roles) },
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
      mentions: optional([world.bob], listOf(50, userId)),
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
    'auth:refresh': { token: needed(world.token, nothing) },
  };
}

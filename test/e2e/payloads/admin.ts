import {
  needed,
  nothing,
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
import type { PayloadsOf } from './payloads.js';

export function adminPayloads(world: World): PayloadsOf<'/admin'> {
  const because = { reason: needed('As agreed', visible('\n', text(1, 500))) };
  const onVictim = { ...because, userId: needed(world.victim, userId) };
  const onRoom = { ...because, roomId: needed(world.toFreeze, roomId) };
  return {
    'announcement:send': {
      ...because,
      title: needed('Maintenance', visible('', text(1, 200))),
      body: needed('Tonight at ten', visible('\n', text(1, 2000))),
    },
    'user:disconnect': onVictim,
    'user:suspend': onVictim,
    'user:resume': onVictim,
    'user:role': { ...onVictim, role: needed('user', oneOf('user', 'admin')) },
    'room:freeze': onRoom,
    'room:unfreeze': onRoom,
    'message:delete': { ...because, messageId: needed(world.toDelete, uuid) },
    'connection:list': {
      cursor: optional(undefined, opaque),
      userId: optional(world.bob.id, userId),
    },
    'auth:refresh': { token: needed(world.root.session.accessToken, nothing) },
  };
}

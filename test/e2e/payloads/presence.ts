import {
  distinct,
  isoTime,
  listOf,
  needed,
  nothing,
  oneOf,
  optional,
  text,
  userId,
  visible,
} from '../../harness/hostile.js';
import type { World } from '../hostile-world.js';
import type { PayloadsOf } from './payloads.js';

export function presencePayloads({ alice, bob }: World): PayloadsOf<'/presence'> {
  const people = distinct(listOf(500, userId, { min: 1, item: (index) => `u${String(index)}` }));
  return {
    'presence:set': {
      status: needed('busy', oneOf('online', 'away', 'busy', 'invisible')),
      text: optional('At lunch', visible('', text(1, 100))),
      until: optional(new Date(Date.now() + 3_600_000).toISOString(), isoTime(365)),
    },
    'presence:activity': {},
    'presence:watch': { userIds: needed([bob.id], people) },
    'presence:unwatch': { userIds: needed([bob.id], people) },
    'auth:refresh': { token: needed(alice.session.accessToken, nothing) },
  };
}

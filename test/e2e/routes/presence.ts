import { needed, withEdges, type Accepts } from '../../harness/hostile.js';
import type { World } from '../hostile-world.js';
import { presencePayloads } from '../payloads/presence.js';
import type { Routes } from './route.js';

/** Ids of 1 to 128 characters, separated by commas: any text is one of them. */
const ids: Accepts = withEdges(
  (value) => {
    if (typeof value !== 'string') return false;
    const parts = value.split(',');
    return (
      parts.length <= 500 &&
      new Set(parts).size === parts.length &&
      parts.every((part) => part.length >= 1 && part.length <= 128)
    );
  },
  ['', ',', 'a', 'a,', 'a,a', 'a,b', 'a'.repeat(128), 'a'.repeat(129)],
);

export function presenceRoutes(world: World): Routes {
  return {
    'GET /api/v1/presence': { query: { userIds: needed(world.bob.id, ids) } },
    'GET /api/v1/presence/me': {},
    'PUT /api/v1/presence': { body: presencePayloads(world)['presence:set'] },
  };
}

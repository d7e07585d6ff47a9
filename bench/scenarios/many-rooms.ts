import type { Load } from '../generator/orders.js';
import { duelRow, perSecond } from '../row.js';
import type { Scenario } from '../scenario.js';
import { peopleInRooms } from '../servers/people.js';

const MEMBERS = 4;
/** More rooms than that are shared by the same people: the rooms grow, the connections do not. */
const MOST_CONNECTIONS = 2000;

/** Small rooms in which everybody writes, one message in flight each: what a commit costs. */
export const manyRooms: Scenario = {
  name: 'many-rooms',
  about: '500 rooms of 4 members, everybody sending, against the tutorial',
  async run(bench) {
    const { fsyncDelayMs } = bench.settings;
    for (const count of bench.sizes.rooms ?? [500]) {
      const rooms = smallRooms(count);
      await bench.withPair(
        { product: { ...rooms, server: 'product' }, peer: { ...rooms, server: 'tutorial' } },
        async (pair) => {
          const duel = await pair.duel({
            load: everybody(rooms),
            traffic: { product: 'message', peer: 'plainMessage' },
          });
          bench.add(
            duelRow(duel, perSecond.acks, {
              scenario: 'many-rooms',
              work: `${count} rooms x ${MEMBERS}, everyone sending${fsyncDelayMs > 0 ? `, fsync + ${fsyncDelayMs} ms` : ''}`,
              peer: 'tutorial',
              unit: 'messages/s',
              bounds: { of: 'ratio', must: fsyncDelayMs > 0 ? 8 : 4, aim: fsyncDelayMs > 0 ? 12 : 6 },
            }),
          );
        },
      );
    }
  },
};

export function smallRooms(count: number) {
  const connections = Math.min(count * MEMBERS, MOST_CONNECTIONS);
  return { people: peopleInRooms(count, MEMBERS, connections), audience: MEMBERS };
}

export function everybody({ people }: { people: readonly unknown[] }): Load {
  return { loop: 'closed', senders: people.length, inFlight: 1 };
}

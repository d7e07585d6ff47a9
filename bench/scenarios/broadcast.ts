import { duelRow, perSecond } from '../row.js';
import type { Scenario } from '../scenario.js';
import { peopleInRooms } from '../servers/people.js';
import { few } from './hot-room.js';

/** What is stored nowhere, to all others in a room: the sending alone, against a bare WebSocket server. */
export const broadcast: Scenario = {
  name: 'broadcast',
  about: 'signals, which are not stored, to 1,000 receivers, against bare ws',
  async run(bench) {
    for (const receivers of bench.sizes.receivers ?? [1000]) {
      // Not to the one who sent it.
      const room = { people: peopleInRooms(1, receivers), audience: receivers - 1 };
      await bench.withPair(
        { product: { ...room, server: 'product' }, peer: { ...room, server: 'ws' } },
        async (pair) => {
          const duel = await pair.duel({ load: few, traffic: { product: 'signal', peer: 'signal' } });
          bench.add(
            duelRow(duel, perSecond.deliveries, {
              scenario: 'broadcast',
              work: `plain broadcast, ${receivers} receivers, ${few.senders} x ${few.inFlight} in flight`,
              peer: 'ws',
              unit: 'deliveries/s',
              bounds: { of: 'ratio', must: 0.95, aim: 1.2 },
            }),
          );
        },
      );
    }
  },
};

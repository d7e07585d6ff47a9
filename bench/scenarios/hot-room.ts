import type { Load } from '../generator/orders.js';
import { duelRow, perSecond } from '../row.js';
import type { Scenario } from '../scenario.js';
import { peopleInRooms } from '../servers/people.js';

interface Cell {
  receivers: number;
  load: Load & { loop: 'closed' };
  must: number;
  aim: number;
}
export const crowd = { loop: 'closed', senders: 20, inFlight: 8 } as const;
export const few = { loop: 'closed', senders: 5, inFlight: 1 } as const;
const CELLS: Cell[] = [
  { receivers: 1000, load: crowd, must: 40, aim: 80 },
  { receivers: 200, load: crowd, must: 25, aim: 50 },
  { receivers: 200, load: few, must: 2, aim: 3 },
];

/** One room in which a few write and all read. Those who write read too. */
export const hotRoom: Scenario = {
  name: 'hot-room',
  about: 'durable messages into one room of 1,000 and 200 receivers, against the tutorial',
  async run(bench) {
    for (const receivers of bench.sizes.receivers ?? [1000, 200]) {
      const room = oneRoomOf(receivers);
      await bench.withPair(
        { product: { ...room, server: 'product' }, peer: { ...room, server: 'tutorial' } },
        async (pair) => {
          for (const { load, must, aim } of cellsOf(receivers)) {
            const { senders, inFlight } = load;
            const duel = await pair.duel({ load, traffic: { product: 'message', peer: 'plainMessage' } });
            bench.add(
              duelRow(duel, perSecond.deliveries, {
                scenario: 'hot-room',
                work: `hot room, ${receivers} receivers, ${senders} x ${inFlight} in flight`,
                peer: 'tutorial',
                unit: 'deliveries/s',
                bounds: { of: 'ratio', must, aim },
              }),
            );
          }
        },
      );
    }
  },
};

export function oneRoomOf(receivers: number) {
  return { people: peopleInRooms(1, receivers), audience: receivers };
}

/** Another size is held to what the nearest one below must reach. */
function cellsOf(receivers: number): Cell[] {
  return CELLS.filter((cell) => cell.receivers === (receivers >= 1000 ? 1000 : 200));
}

import type { Load } from '../generator/orders.js';
import type { Run, ServerSpec } from '../loaded-server.js';
import { duelRow, serverCpu } from '../row.js';
import type { Bench, Scenario } from '../scenario.js';
import { crowd, few, oneRoomOf } from './hot-room.js';
import { everybody, smallRooms } from './many-rooms.js';

/** From there on a unit of work costs the same, however much there is; below, what is fixed is shared by few. */
const FLAT_FROM = { receivers: 1000, rooms: 500 };
const FLAT = { of: 'ratio', must: 1.2, aim: 1 } as const;

interface Growing {
  kind: keyof typeof FLAT_FROM;
  name: string;
  sizes: readonly number[];
  of: (run: Run) => number;
  specOf: (size: number) => Pick<ServerSpec, 'people' | 'audience'>;
  loads: { name: string; of: (size: number) => Load }[];
}

/** What a unit of work costs when there is more of it: each size against the one before, both up and loaded in turn. */
export const growth: Scenario = {
  name: 'growth',
  about: 'CPU per delivery at 100, 1,000, 10,000 receivers and per message in 10, 500, 5,000 rooms',
  async run(bench) {
    await grow(bench, {
      kind: 'receivers',
      name: 'CPU of a delivery',
      sizes: bench.sizes.receivers ?? [100, 1000, 10_000],
      of: serverCpu.perDelivery,
      specOf: oneRoomOf,
      loads: [few, crowd].map((load) => ({
        name: `${load.senders} x ${load.inFlight} in flight`,
        of: () => load,
      })),
    });
    await grow(bench, {
      kind: 'rooms',
      name: 'CPU of an acknowledged message',
      sizes: bench.sizes.rooms ?? [10, 500, 5000],
      of: serverCpu.perAck,
      specOf: smallRooms,
      loads: [{ name: 'everyone sending', of: (rooms) => everybody(smallRooms(rooms)) }],
    });
  },
};

async function grow(bench: Bench, growing: Growing): Promise<void> {
  const { sizes, kind } = growing;
  for (const [index, small] of sizes.slice(0, -1).entries()) {
    const large = sizes[index + 1] ?? small;
    const sideOf = (size: number): ServerSpec => ({
      ...growing.specOf(size),
      server: 'product',
      label: `${size} ${kind}`,
    });
    await bench.withPair({ product: sideOf(large), peer: sideOf(small) }, async (pair) => {
      for (const { name, of } of growing.loads) {
        const traffic = { product: 'message', peer: 'message' } as const;
        const duel = await pair.duel({ load: of(large), peerLoad: of(small), traffic });
        bench.add(
          duelRow(duel, growing.of, {
            scenario: 'growth',
            work: `${growing.name}, ${large} ${kind} against ${small}, ${name}`,
            peer: 'itself',
            unit: 'us',
            better: 'lower',
            ...(small >= FLAT_FROM[kind] && { bounds: FLAT }),
          }),
        );
      }
    });
  }
}

import type { Run } from '../loaded-server.js';
import { duelRow } from '../row.js';
import type { Scenario } from '../scenario.js';
import { oneRoomOf } from './hot-room.js';

const RECEIVERS = 200;
const SENDERS = 20;

const FIGURES: { name: string; of: (run: Run) => number; must: number; aim: number }[] = [
  { name: 'p50 of send to delivery', of: ({ toDelivery }) => toDelivery.p50, must: 1.1, aim: 1 },
  { name: 'p99 of send to delivery', of: ({ toDelivery }) => toDelivery.p99, must: 1.1, aim: 0.8 },
  { name: 'p50 of send to ack', of: ({ toAck }) => toAck.p50, must: 1.1, aim: 1 },
  { name: 'p99 of send to ack', of: ({ toAck }) => toAck.p99, must: 1.1, aim: 0.8 },
];

/** Both servers at the rate that is half of what the tutorial can do: group commit must not make people wait. */
export const latency: Scenario = {
  name: 'latency',
  about: 'p50 and p99 at a fixed rate, half of the saturation of the tutorial, 200 receivers',
  async run(bench) {
    const room = oneRoomOf(RECEIVERS);
    const traffic = { product: 'message', peer: 'plainMessage' } as const;
    await bench.withPair(
      { product: { ...room, server: 'product' }, peer: { ...room, server: 'tutorial' } },
      async (pair) => {
        const full = { loop: 'closed', senders: SENDERS, inFlight: 8 } as const;
        // Both: code that has run hot once is faster than code that has not.
        await pair.run('product', { load: full, traffic });
        const saturated = await pair.run('peer', { load: full, traffic });
        const rate = Math.round(saturated.acked / saturated.seconds / 2);
        const load = { loop: 'open', senders: SENDERS, perSecond: rate } as const;
        const duel = await pair.duel({ load, traffic });
        for (const { name, of, must, aim } of FIGURES)
          bench.add(
            duelRow(duel, of, {
              scenario: 'latency',
              work: `${name}, ${rate} messages/s to ${RECEIVERS} receivers`,
              peer: 'tutorial',
              unit: 'ms',
              better: 'lower',
              bounds: { of: 'ratio', must, aim },
            }),
          );
      },
    );
  },
};

import type { PairWork } from '../pair.js';
import { duelRow, serverCpu } from '../row.js';
import type { Scenario } from '../scenario.js';
import { peopleInRooms } from '../servers/people.js';

const SOCKETS = 100;
const load = { loop: 'closed', senders: SOCKETS, inFlight: 4 } as const;

/** Commands that need no database: all that is paid is the way through the gateway. */
const EVENTS: { name: string; traffic: PairWork['traffic'] }[] = [
  { name: 'without a payload', traffic: { product: 'activity', peer: 'plainActivity' } },
  { name: 'with a list of ids', traffic: { product: 'unwatch', peer: 'plainUnwatch' } },
];

/** Session, throttle, validation and dispatch of one event, against a handler that only answers. */
export const event: Scenario = {
  name: 'event',
  about: `CPU of an acknowledged event through the whole gateway, ${SOCKETS} sockets, against bare socket.io`,
  async run(bench) {
    const people = peopleInRooms(1, SOCKETS);
    await bench.withPair(
      {
        product: { people, server: 'product', wire: 'productPresence' },
        peer: { people, server: 'socketio' },
      },
      async (pair) => {
        for (const { name, traffic } of EVENTS)
          bench.add(
            duelRow(await pair.duel({ load, traffic }), serverCpu.perAck, {
              scenario: 'event',
              work: `acknowledged event ${name}, CPU, ${SOCKETS} x ${load.inFlight} in flight`,
              peer: 'socketio',
              unit: 'us',
              better: 'lower',
              bounds: { of: 'ratio', must: 1.2, aim: 0.5 },
            }),
          );
      },
    );
  },
};

import type pg from 'pg';
import type { TrafficName } from '../generator/traffic.js';
import { duelRow, perSecond } from '../row.js';
import type { ServerSpec } from '../loaded-server.js';
import type { Scenario } from '../scenario.js';
import type { Person } from '../servers/people.js';
import { spread } from '../statistics.js';

const MEMBERS = 5000;
const ROOMS = 500;
/** In each of the reader's other rooms, all unread. */
const UNREAD = 20;
const load = { loop: 'closed', senders: 1, inFlight: 4 } as const;

const READS: { name: string; traffic: TrafficName }[] = [
  { name: 'history, newest page', traffic: 'historyLast' },
  { name: 'history, a page anywhere', traffic: 'historyMiddle' },
  { name: 'sync, 500 changes from anywhere', traffic: 'syncAnywhere' },
  { name: 'sync, the newest 20 changes', traffic: 'syncHead' },
  { name: `room list with unread, of ${ROOMS} rooms`, traffic: 'roomList' },
  { name: `a page of ${MEMBERS} members`, traffic: 'memberList' },
];

/** One reader of a room with many messages, and of the same with few: what is read costs, not what is there. */
export const reads: Scenario = {
  name: 'reads',
  about: 'history, sync, room list and members beside 10,000 and 1,000,000 messages in a room',
  async run(bench) {
    const [small = 10_000, large = 1_000_000] = bench.sizes.messages ?? [];
    await bench.withPair({ product: libraryOf(large), peer: libraryOf(small) }, async (pair) => {
      for (const { name, traffic } of READS) {
        const duel = await pair.duel({ load, traffic: { product: traffic, peer: traffic } });
        const row = duelRow(duel, ({ toAck }) => toAck.p50, {
          scenario: 'reads',
          work: `${name}, median, beside ${large} messages against ${small}`,
          peer: 'itself',
          unit: 'ms',
          better: 'lower',
          bounds: { of: 'ratio', must: 1.2, aim: 1 },
        });
        const rate = Math.round(spread(duel.product.map(perSecond.acks)).median);
        bench.add({ ...row, notes: [...row.notes, `${rate} requests/s with ${load.inFlight} in flight`] });
      }
    });
  },
};

/** Of many people, the first one reads: what everybody is in, and rooms of their own. */
function libraryOf(stored: number): ServerSpec {
  const people = Array.from({ length: MEMBERS }, (_, index): Person => {
    const rooms = index === 0 ? Array.from({ length: ROOMS }, (_, room) => `room-${room}`) : ['room-0'];
    return { id: `user-${index}`, rooms };
  });
  return {
    server: 'product',
    label: `${stored} messages`,
    people,
    clients: [{ id: 'user-0', rooms: ['room-0'] }],
    stored,
    fill: (client) => fill(client, stored),
  };
}

async function fill(client: pg.Client, stored: number): Promise<void> {
  const write = (rooms: string, messages: number) =>
    client.query(
      `INSERT INTO messages (id, room_id, seq, rev, created_rev, sender_id, type, content, created_at)
       SELECT gen_random_uuid(), r.id, n, n, n, 'user-' || (n % 50 + 1), 'text', repeat('x', 100), now()
         FROM rooms r, generate_series(1, $1::int) n WHERE ${rooms}`,
      [messages],
    );
  await write(`r.id = 'room-0'`, stored);
  await write(`r.id <> 'room-0'`, UNREAD);
  await client.query(
    `UPDATE rooms SET last_seq = n, last_rev = n
       FROM (SELECT id, CASE WHEN id = 'room-0' THEN $1::int ELSE $2::int END AS n FROM rooms) head
      WHERE head.id = rooms.id`,
    [stored, UNREAD],
  );
  // Pages are looked at and hint bits set now, not by the first who reads.
  await client.query('VACUUM messages');
  // And what is to be written out is, not while something is measured. Not everybody may ask for that.
  await client.query('CHECKPOINT').catch(() => undefined);
}

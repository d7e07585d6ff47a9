import { DataSource } from 'typeorm';
import { MessageLog } from '../../src/messages/message-log.service.js';
import { ReadStates } from '../../src/messages/read-states.service.js';
import type { Actor as Identity } from '../../src/platform/identity/actor.js';
import type { Actor } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';

/** A big room, most of it thread replies, beside others: what made the planner read the whole table. */
const MESSAGES = 200_000;

describe('reading a big room', () => {
  jest.setTimeout(120_000);
  let server: TestServer;
  let alice: Actor;
  let identity: Identity;
  let database: DataSource;

  beforeAll(async () => {
    server = await TestServer.start();
    [alice] = await server.actors('alice');
    await alice.does('room:join', { roomId: 'big', roomName: 'Big' });
    const { messageId } = await alice.sends('big', 'root');
    database = server.app.get(DataSource);
    // Written by hand: two hundred thousand sends would take minutes.
    await database.query(
      `INSERT INTO messages (id, room_id, seq, rev, created_rev, sender_id, type, content, thread_id, created_at)
       SELECT gen_random_uuid(), 'big', n, n, n, 'somebody', 'text', 'x', CASE WHEN n % 5000 > 0 THEN $2::uuid END, now()
         FROM generate_series(2, $1::int) n`,
      [MESSAGES, messageId],
    );
    await database.query(
      `INSERT INTO users (id, username, username_key, name, role) VALUES ('somebody', 'somebody', 'somebody', 'S', 'user')`,
    );
    await database.query(`UPDATE rooms SET last_seq = $1, last_rev = $1 WHERE id = 'big'`, [MESSAGES]);
    await database.query('ANALYZE');
    identity = { ...alice.user, userId: alice.id, expiresAt: Date.now() + 60_000 };
  });
  afterAll(() => server.stop());

  it('uses the index for each page and each count', async () => {
    const log = server.app.get(MessageLog);
    const states = server.app.get(ReadStates);
    const plans = [
      ...(await plansOf(() => log.history(identity, { roomId: 'big' }))),
      ...(await plansOf(() => log.history(identity, { roomId: 'big', around: MESSAGES / 2 }))),
      ...(await plansOf(() => log.sync(identity, { roomId: 'big', since: 100 }))),
      ...(await plansOf(() => states.of(identity.userId, 'big'))),
    ];
    expect(plans.length).toBeGreaterThan(4);
    for (const plan of plans) {
      expect(plan).not.toMatch(/Seq Scan on messages/);
      // Rows an index led to for nothing.
      for (const [, removed] of plan.matchAll(/Rows Removed by Filter: (\d+)/g))
        expect(Number(removed)).toBeLessThan(1000);
    }
  });

  /** The plans Postgres makes for the statements on `messages` that `work` runs. */
  async function plansOf(work: () => Promise<unknown>): Promise<string[]> {
    const statements: [string, unknown[]][] = [];
    // Everything goes through it, repositories and entity managers too.
    const original = database.query.bind(database);
    const spy = jest.spyOn(database, 'query').mockImplementation((sql, parameters, runner) => {
      statements.push([sql, parameters as unknown[]]);
      return original(sql, parameters, runner);
    });
    try {
      await work();
    } finally {
      spy.mockRestore();
    }
    const plans: string[] = [];
    for (const [sql, parameters] of statements.filter(([text]) => text.includes('messages'))) {
      const rows = await original<{ 'QUERY PLAN': string }[]>(`EXPLAIN ANALYZE ${sql}`, parameters);
      plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
    }
    return plans;
  }
});

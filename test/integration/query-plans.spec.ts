import { DataSource } from 'typeorm';
import { MessageLog } from '../../src/messages/message-log.service.js';
import { ReadStates } from '../../src/messages/read-states.service.js';
import { DecisionsRepository } from '../../src/notifications/decisions.repository.js';
import { InboxService } from '../../src/notifications/inbox.service.js';
import { RoomReadingRepository } from '../../src/notifications/room-reading.repository.js';
import type { Actor as Identity } from '../../src/platform/identity/actor.js';
import type { Actor } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';

/** A big room, most of it thread replies, beside others: what made the planner read the whole table. */
const MESSAGES = 200_000;
const NOTIFICATIONS = 50_000;
const BIG_TABLES = /\b(messages|notifications|outbox)\b/;

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

  it('and of a big inbox', async () => {
    // Every look at an inbox read all its unread rows, and a question about one message the whole outbox.
    await database.query(`INSERT INTO notification_inboxes (user_id) VALUES ($1)`, [alice.id]);
    await database.query(
      `INSERT INTO notifications (id, user_id, kind, title, body, room_id, message_id, seq, count, silent, grown_version,
                                  created_at, updated_at, read_at, archived_at)
       SELECT gen_random_uuid(), $1, 'mention', 't', 'b', 'big', gen_random_uuid(), 1000000, 1, false, n,
              now() - n * interval '1 second', now() - n * interval '1 second',
              CASE WHEN n % 2 = 0 THEN now() END, CASE WHEN n % 4 = 0 THEN now() END
         FROM generate_series(1, $2::int) n`,
      [alice.id, NOTIFICATIONS],
    );
    await database.query(
      `INSERT INTO outbox (topic, payload, due_at)
       SELECT 'message.sent', json_build_object('messageId', gen_random_uuid()), now() + interval '1 day'
         FROM generate_series(1, $1::int)`,
      [NOTIFICATIONS],
    );
    await database.query('ANALYZE');
    const inbox = server.app.get(InboxService);
    const reading = server.app.get(RoomReadingRepository);
    const decisions = server.app.get(DecisionsRepository);
    const plans = [
      ...(await plansOf(() => inbox.page(identity, {}))),
      ...(await plansOf(() => inbox.page(identity, { filter: 'unread' }))),
      ...(await plansOf(() => inbox.page(identity, { filter: 'archived' }))),
      ...(await plansOf(() => inbox.counts(identity))),
      ...(await plansOf(() => reading.behindIn([{ userId: alice.id, roomId: 'big' }]))),
      ...(await plansOf(() => decisions.isPending('no such message'))),
    ];
    expect(plans.length).toBeGreaterThan(8);
    for (const plan of plans) {
      expect(plan).not.toMatch(/Seq Scan on (notifications|outbox)/);
      // Rows an index led to: counting stops, and a page ends.
      for (const [, rows] of plan.matchAll(/on (?:notifications|outbox) .*actual time=\S+ rows=(\d+)/g))
        expect(Number(rows)).toBeLessThanOrEqual(100);
      for (const [, removed] of plan.matchAll(/Rows Removed by Filter: (\d+)/g))
        expect(Number(removed)).toBeLessThan(1000);
    }
  });

  /** The plans Postgres makes for the statements on these big tables that `work` runs. */
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
    for (const [sql, parameters] of statements.filter(([text]) => BIG_TABLES.test(text))) {
      const rows = await original<{ 'QUERY PLAN': string }[]>(`EXPLAIN ANALYZE ${sql}`, parameters);
      plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
    }
    return plans;
  }
});

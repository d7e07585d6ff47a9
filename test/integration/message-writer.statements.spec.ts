import pg from 'pg';
import { START_BATCH } from '../../src/messages/batch-locks.repository.js';
import type { Actor } from '../harness/actor.js';
import { DatabaseProxy } from '../harness/database-proxy.js';
import { createTestDatabase, type TestDatabase } from '../harness/database.js';
import { literal } from '../harness/plan.js';
import type { RoundTrip } from '../harness/protocol-tap.js';
import { TestServer } from '../harness/server.js';
import { SentStatements, type SentStatement } from '../harness/statements.js';
import { onPostgres, WriterFixture } from '../harness/writer-fixture.js';

const TABLES = [
  'rooms',
  'room_members',
  'users',
  'messages',
  'reactions',
  'mentions',
  'restrictions',
  'outbox',
];
const ROWS = 100_000;

/**
 * What the writer says to Postgres, and how often. A batch holds the locks of its rooms for as long as it waits for
 * answers, and half of the time of a small one used to go into planning the same statements again.
 */
(onPostgres() ? describe : describe.skip)('the statements of the message writer', () => {
  let database: TestDatabase;
  let proxy: DatabaseProxy;
  let server: TestServer;
  let writer: WriterFixture;
  let sent: SentStatements;
  let alice: Actor;
  let bob: Actor;
  let rooms = 0;

  beforeAll(async () => {
    sent = new SentStatements();
    database = await createTestDatabase();
    proxy = await DatabaseProxy.before(database.databaseUrl!);
    server = await TestServer.start({ DATABASE_URL: proxy.url, DATABASE_POOL_SIZE: '2' }, database);
    writer = new WriterFixture(server);
    [alice, bob] = await server.actors('alice', 'bob');
  });
  afterAll(async () => {
    await server.stop();
    await proxy.stop();
    await database.drop();
    sent.end();
  });
  afterEach(() => writer.expectNoGaps());

  async function newRoom(): Promise<string> {
    const roomId = `room-${String(++rooms)}`;
    await alice.does('room:create', {
      roomId,
      name: roomId,
      type: 'public',
      history: 'since_join',
      memberIds: [bob.id],
    });
    return roomId;
  }

  /** Everything a batch can be asked for. */
  async function everything(roomId: string): Promise<void> {
    const root = await bob.sends(roomId, 'root', { mentions: [alice.id], clientMessageId: `root-${roomId}` });
    const { messageId } = root;
    await alice.sends(roomId, 'reply', { replyTo: messageId });
    await alice.sends(roomId, 'in the thread', { threadId: messageId });
    await bob.does('message:edit', { messageId, content: 'changed' });
    await alice.does('message:react', { messageId, emoji: '👍', on: true });
    await alice.does('message:react', { messageId, emoji: '👍', on: false });
    await alice.does('message:pin', { messageId, on: true });
    await bob.does('message:delete', { messageId });
    await bob.sends(roomId, 'known by now');
    await bob.sends(roomId, 'known by now', { mentions: [alice.id] });
  }

  const batches = (): RoundTrip[][] =>
    proxy.taps
      .flatMap(({ transactions }) => transactions)
      .filter(([first]) => first?.statements.some((name) => /^batch-lock-(rooms|all)$/.test(name)));

  async function batchesOf(work: () => Promise<unknown>): Promise<string[][][]> {
    const before = new Set(batches().map(([first]) => first));
    await work();
    return batches()
      .filter(([first]) => !before.has(first))
      .map((trips) => trips.map(({ statements }) => statements));
  }

  it('that a batch needs in a room the writer knows leave in one round trip', async () => {
    const roomId = await newRoom();
    await alice.sends(roomId, 'first', { mentions: [bob.id] });
    await bob.sends(roomId, 'second');
    const seen = await batchesOf(() =>
      Promise.all(['a', 'b', 'c'].map((content) => writer.send(bob, { roomId, content }))),
    );
    expect(seen).toEqual([
      [[expect.stringMatching(/^START/), 'batch-lock-all', 'batch-if-unchanged-11100', 'COMMIT']],
    ]);
    const told = await batchesOf(() => writer.send(bob, { roomId, content: 'd', mentions: [alice.id] }));
    expect(told).toEqual([
      [[expect.stringMatching(/^START/), 'batch-lock-all', 'batch-if-unchanged-11111', 'COMMIT']],
    ]);
  });

  it('that a batch of sends needs leave in two round trips', async () => {
    const roomId = await newRoom();
    const contents = Array.from({ length: 5 }, (_, index) => String(index));
    const seen = await batchesOf(() =>
      Promise.all(contents.map((content) => writer.send(bob, { roomId, content, mentions: [alice.id] }))),
    );
    expect(seen).toEqual([
      [
        [
          expect.stringMatching(/^START TRANSACTION; SET LOCAL/),
          'batch-lock-rooms',
          'batch-hold-moderation',
          'batch-people',
          'batch-rules',
        ],
        [
          expect.stringContaining('outbox'),
          'batch-insert-messages',
          'batch-insert-mentions',
          'batch-move-senders',
          'batch-move-rooms',
          'COMMIT',
        ],
      ],
    ]);
  });

  it('that change messages need one more, to read them back', async () => {
    const roomId = await newRoom();
    const { messageId } = await bob.sends(roomId, 'first');
    const [batch, ...others] = await batchesOf(() =>
      bob.does('message:edit', { messageId, content: 'changed' }),
    );
    expect(others).toEqual([]);
    expect(batch?.slice(1)).toEqual([
      [
        'batch-update-messages',
        'batch-move-rooms',
        'batch-read-back',
        expect.stringContaining('history_from_seq'),
      ],
      ['COMMIT'],
    ]);
  });

  it('are parsed once per connection', async () => {
    await everything(await newRoom());
    await everything(await newRoom());
    for (const { roundTrips } of proxy.taps) {
      const parsed = roundTrips.flatMap((trip) => trip.parsed);
      expect(parsed).toEqual([...new Set(parsed)]);
    }
    const used = batches().flatMap((trips) => trips.flatMap(({ statements }) => statements));
    const parsed = batches().flatMap((trips) => trips.flatMap((trip) => trip.parsed));
    expect(new Set(parsed).size).toBeGreaterThanOrEqual(17);
    expect(used.filter((name) => parsed.includes(name)).length).toBeGreaterThan(2 * parsed.length);
  });

  /** While nodes are replaced, the new one migrates and the old one goes on. */
  it('go on working when a migration adds columns to what they read', async () => {
    for (let round = 0; round < 3; round++) await everything(await newRoom());
    for (const table of TABLES) await writer.sql(`ALTER TABLE ${table} ADD COLUMN later text DEFAULT 'x'`);
    const before = proxy.taps.length;
    const roomId = await newRoom();
    const seen = await batchesOf(() => everything(roomId));
    expect(seen).toHaveLength(10);
    // Each came through at once, over a connection that had prepared them before.
    expect(proxy.taps).toHaveLength(before);
    expect(seen.flatMap((trips) => trips.flat()).filter((text) => text === 'ROLLBACK')).toEqual([]);
    for (const table of TABLES) await writer.sql(`ALTER TABLE ${table} DROP COLUMN later`);
    await everything(await newRoom());
  });

  /**
   * A plan that was made for an empty table reads all of it, and a connection may keep it until autovacuum comes by.
   */
  it.each([0, 20])('are planned so that an installation may grow from %d rooms', async (few) => {
    const own = await sent.during(async () => everything(await newRoom()), /.*/);
    const statements = [...new Map(own.map((statement) => [statement.name, statement])).values()].filter(
      ({ name }) => name?.startsWith('batch-'),
    );
    expect(statements.length).toBeGreaterThanOrEqual(17);
    const fresh = await createTestDatabase();
    const client = new pg.Client({ connectionString: fresh.databaseUrl });
    await client.connect();
    try {
      await client.query(
        TABLES.map((table) => `ALTER TABLE ${table} SET (autovacuum_enabled = off)`).join(';'),
      );
      await fill(client, 1, few);
      await client.query('ANALYZE');
      // As often as it takes Postgres to settle on a plan.
      for (let round = 0; round < 8; round++) await inBatch(client, statements, execute);
      await fill(client, few + 1, ROWS);
      const plans = new Map<string, string>();
      await inBatch(client, statements, async (_, statement) => {
        plans.set(statement.name!, await planOf(client, statement));
      });
      const leading = await leadingColumns(client);
      for (const [name, plan] of plans) expect([name, fullScans(plan, leading)]).toEqual([name, []]);
    } finally {
      await client.end();
      await fresh.drop();
    }
  });
});

type Work = (client: pg.Client, statement: SentStatement) => Promise<void>;

async function inBatch(client: pg.Client, statements: SentStatement[], work: Work): Promise<void> {
  await client.query(START_BATCH);
  for (const statement of statements) {
    await client.query('SAVEPOINT each');
    await work(client, statement);
    await client.query('ROLLBACK TO each');
  }
  await client.query('ROLLBACK');
}

/** What refers to rows of another database may fail; it has been planned by then. */
async function execute(client: pg.Client, { name, text, values }: SentStatement): Promise<void> {
  await client.query({ name, text, values }).catch((error: unknown) => {
    if (!(error instanceof pg.DatabaseError) || error.code !== '23503') throw error;
  });
}

async function planOf(client: pg.Client, { name, values }: SentStatement): Promise<string> {
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(
    `EXPLAIN EXECUTE "${name!}"(${values.map(literal).join(', ')})`,
  );
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

/** By index, the column it begins with. */
async function leadingColumns(client: pg.Client): Promise<Map<string, string>> {
  const { rows } = await client.query<{ index: string; column: string }>(
    `SELECT indexrelid::regclass::text AS index, pg_get_indexdef(indexrelid, 1, false) AS column FROM pg_index`,
  );
  return new Map(rows.map(({ index, column }) => [index, column]));
}

/** Of tables that grow. An index may be read from end to end too, when nothing is asked of its first column. */
function fullScans(plan: string, leading: Map<string, string>): string[] {
  const lines = plan.split('\n');
  return lines.filter((line, at) => {
    // A bitmap is made of an index, in the lines that follow.
    const [, bitmap] = /Bitmap Index Scan on (\w+)/.exec(line) ?? [];
    const [, index = bitmap, table] = /(?<!Heap )Scan (?:using (\w+) )?on (\w+)/.exec(line) ?? [];
    if (bitmap === undefined && !TABLES.includes(table ?? '')) return false;
    const [, condition] = /Index Cond: (.*)/.exec(lines[at + 1] ?? '') ?? [];
    return !new RegExp(`\\(${leading.get(index ?? '') ?? '-'} = `).test(condition ?? '');
  });
}

async function fill(client: pg.Client, from: number, to: number): Promise<void> {
  const rows = `generate_series(${String(from)}, ${String(to)}) AS i`;
  await client.query(
    `INSERT INTO users (id, username, username_key, name, password_hash) SELECT 'u' || i, 'u' || i, 'u' || i, 'U', 'x' FROM ${rows}`,
  );
  await client.query(
    `INSERT INTO rooms (id, name, type, last_seq, last_rev) SELECT 'r' || i, 'R', 'public', 1, 1 FROM ${rows}`,
  );
  await client.query(
    `INSERT INTO room_members (room_id, user_id, role) SELECT 'r' || i, 'u' || i, 'member' FROM ${rows}`,
  );
  await client.query(
    `INSERT INTO messages (id, room_id, seq, rev, created_rev, sender_id, type, content, created_at)
     SELECT gen_random_uuid(), 'r' || i, 1, 1, 1, 'u' || i, 'text', 'x', now() FROM ${rows}`,
  );
  await client.query(
    `INSERT INTO reactions (message_id, emoji, user_id, created_at) SELECT id, 'x', sender_id, now() FROM messages ON CONFLICT DO NOTHING`,
  );
  await client.query(
    `INSERT INTO mentions (room_id, user_id, seq, sender_id) SELECT 'r' || i, 'u' || i, 1, 'u' || i FROM ${rows}`,
  );
}

import pg from 'pg';
import { DataSource } from 'typeorm';
import { RoomList } from '../../src/chat/room-list.js';
import { MessageLog } from '../../src/messages/message-log.service.js';
import { ReadStates } from '../../src/messages/read-states.service.js';
import { DecisionsRepository } from '../../src/notifications/decisions.repository.js';
import { InboxService } from '../../src/notifications/inbox.service.js';
import { RoomReadingRepository } from '../../src/notifications/room-reading.repository.js';
import type { Actor as Identity } from '../../src/platform/identity/actor.js';
import { MemberList } from '../../src/rooms/member-list.service.js';
import { UsersService } from '../../src/users/users.service.js';
import type { Actor } from '../harness/actor.js';
import { createTestDatabase, type TestDatabase } from '../harness/database.js';
import { scansOf, type Scan } from '../harness/plan.js';
import { TestServer } from '../harness/server.js';
import { SentStatements } from '../harness/statements.js';
import { onPostgres } from '../harness/writer-fixture.js';

const MESSAGES = 1_000_000;
const PEOPLE = 100_000;
const ROOMS = 20_000;
const OWN_ROOMS = 1000;
const NOTIFICATIONS = 50_000;
const OF_ROOMS = /\b(messages|room_members|rooms|users|mentions|reactions)\b/;
const OF_INBOXES = /\b(messages|notifications|outbox)\b/;

/** What is read, how often the database is asked about a big table, and how many rows of one it comes upon. */
type Case = [name: string, statements: number, rows: number, work: () => Promise<unknown>];

/** Plans are made by the same planner in the embedded database, where a million rows take minutes. */
(onPostgres() ? describe : describe.skip)('reading beside a million messages', () => {
  jest.setTimeout(180_000);
  let sent: SentStatements;
  let server: TestServer;
  let alice: Actor;
  let identity: Identity;
  let home: TestDatabase;
  let database: DataSource;
  let writer: pg.Client;
  let thread: string;

  beforeAll(async () => {
    sent = new SentStatements();
    home = await createTestDatabase();
    server = await TestServer.start({}, home);
    [alice] = await server.actors('alice');
    await alice.does('room:join', { roomId: 'big', roomName: 'Big' });
    thread = (await alice.sends('big', 'root')).messageId;
    await alice.does('room:join', { roomId: 'crowd', roomName: 'Crowd' });
    database = server.app.get(DataSource);
    identity = { ...alice.user, userId: alice.id, expiresAt: Date.now() + 60_000 };
    // Without the server's limit on the time of a statement.
    writer = new pg.Client({ connectionString: home.databaseUrl });
    await writer.connect();
    await fill(writer, alice.id, thread);
  });
  afterAll(async () => {
    await writer.end();
    await server.stop();
    await home.drop();
    sent.end();
  });

  const get = <T>(service: new (...args: never[]) => T): T => server.app.get(service, { strict: false });

  const cases = (): Case[] => {
    const log = get(MessageLog);
    const roomId = 'big';
    return [
      ['history', 1, 200, () => log.history(identity, { roomId })],
      ['history before', 1, 200, () => log.history(identity, { roomId, before: MESSAGES / 2 })],
      ['history after', 1, 200, () => log.history(identity, { roomId, after: MESSAGES / 2 })],
      ['history around', 1, 200, () => log.history(identity, { roomId, around: MESSAGES / 2 })],
      [
        'history of a thread',
        1,
        200,
        () => log.history(identity, { roomId, threadId: thread, before: 9000 }),
      ],
      ['sync', 1, 1100, () => log.sync(identity, { roomId, since: MESSAGES / 2 })],
      ['sync at the head', 1, 10, () => log.sync(identity, { roomId, since: MESSAGES })],
      ['read state', 1, 300, () => get(ReadStates).of(identity.userId, roomId)],
      // The third is the hint to one's own devices.
      ['reading', 3, 300, () => get(ReadStates).read(identity, { roomId, seq: MESSAGES / 2 })],
      ['room list', 4, 600, () => get(RoomList).list(identity, {})],
      ['room list, last page', 4, 600, () => get(RoomList).list(identity, { cursor: 'own-950' })],
      ['unread', 1, 12_000, () => get(ReadStates).unread(identity)],
      ['members', 1, 250, () => get(MemberList).list(identity, { roomId: 'crowd' })],
      [
        'members, later page',
        1,
        250,
        () => get(MemberList).list(identity, { roomId: 'crowd', cursor: 'u5' }),
      ],
      ['users', 1, 120, () => get(UsersService).search(identity, {})],
      ['users by a name', 1, 120, () => get(UsersService).search(identity, { query: 'Name 9999' })],
    ];
  };

  it('asks once, by an index, and reads little more than it gives', async () => {
    const told = [];
    const expected = [];
    for (const [name, statements, rows, work] of cases()) {
      const { asked, scans } = await measure(work, OF_ROOMS);
      told.push({ name, statements: asked, sequential: sequential(scans), tooMany: beyond(scans, rows) });
      expected.push({ name, statements, sequential: [], tooMany: [] });
    }
    expect(told).toEqual(expected);
  });

  it('reads nothing of a room for a stranger', async () => {
    const stranger = { ...identity, userId: 'u1' };
    for (const work of [
      () => get(MessageLog).history(stranger, { roomId: 'big' }),
      () => get(MessageLog).sync(stranger, { roomId: 'big', since: 0 }),
      () => get(MemberList).list({ ...identity, userId: 'nobody' }, { roomId: 'crowd' }),
    ]) {
      const { scans } = await measure(
        () => expect(work()).rejects.toMatchObject({ code: 'NOT_A_MEMBER' }),
        OF_ROOMS,
      );
      expect(beyond(scans, 1)).toEqual([]);
    }
  });

  it('and of a big inbox', async () => {
    // Every look at an inbox read all its unread rows, and a question about one message the whole outbox.
    await fillInbox(writer, alice.id);
    const inbox = get(InboxService);
    const looks = [
      () => inbox.page(identity, {}),
      () => inbox.page(identity, { filter: 'unread' }),
      () => inbox.page(identity, { filter: 'archived' }),
      () => inbox.counts(identity),
      () => get(RoomReadingRepository).behindIn([{ userId: alice.id, roomId: 'big' }]),
      () => get(DecisionsRepository).isPending('no such message'),
    ];
    for (const look of looks) {
      const { asked, scans } = await measure(look, OF_INBOXES);
      expect(asked).toBeGreaterThan(0);
      expect(sequential(scans)).toEqual([]);
      expect(beyond(scans, 250)).toEqual([]);
    }
  });

  async function measure(
    work: () => Promise<unknown>,
    tables: RegExp,
  ): Promise<{ asked: number; scans: Scan[] }> {
    const statements = await sent.during(work, tables);
    const scans = [];
    for (const statement of statements) scans.push(...(await scansOf(database, statement)));
    return { asked: statements.length, scans: scans.filter(({ table }) => tables.test(table)) };
  }
});

const sequential = (scans: Scan[]): Scan[] => scans.filter(({ kind }) => kind === 'Seq Scan');
/** More rows than that, or more pages than it takes to find so many one by one. */
const beyond = (scans: Scan[], limit: number): Scan[] =>
  scans.filter(({ rows, loops, pages }) => rows > limit || pages > 20 + 8 * (rows + loops));

/** Written by hand: so many sends would take hours. Ids that grow, as those of real messages do, are the fastest to index. */
async function fill(writer: pg.Client, userId: string, thread: string): Promise<void> {
  const write = async (sql: string, values: unknown[] = []): Promise<void> => {
    await writer.query(sql, values);
  };
  await write('SET synchronous_commit = off');
  await write(
    `INSERT INTO users (id, username, username_key, name, role)
     SELECT 'u' || n, 'u' || n, 'u' || n, 'Name ' || n, 'user' FROM generate_series(1, $1::int) n`,
    [PEOPLE],
  );
  // Most of the big room are thread replies: what once made the planner read the whole table for a page of the rest.
  await write(
    `INSERT INTO messages (id, room_id, seq, rev, created_rev, sender_id, type, content, thread_id, created_at)
     SELECT lpad(to_hex(n), 32, '0')::uuid, 'big', n, n, n, 'u' || (n % 50 + 1), 'text', 'x',
            CASE WHEN n % 10 > 0 THEN $2::uuid END, now()
       FROM generate_series(2, $1::int) n`,
    [MESSAGES, thread],
  );
  await write(
    `INSERT INTO reactions (message_id, emoji, user_id, created_at)
     SELECT lpad(to_hex(n * 10), 32, '0')::uuid, '+', 'u1', now() FROM generate_series(1, 50000) n`,
  );
  await write(
    `INSERT INTO mentions (room_id, user_id, seq, sender_id)
     SELECT 'big', CASE WHEN n % 100 = 0 THEN $1 ELSE 'u' || (n % 500) END, n * 10, 'u' || (n % 50 + 1)
       FROM generate_series(1, 50000) n`,
    [userId],
  );
  await write(
    `INSERT INTO rooms (id, type, name, last_seq, last_rev, member_count)
     SELECT CASE WHEN n <= $2 THEN 'own-' || n ELSE 'other-' || n END,
            CASE WHEN n % 5 = 0 THEN 'direct' ELSE 'public' END, 'Room', 5, 5, 2
       FROM generate_series(1, $1::int) n`,
    [ROOMS, OWN_ROOMS],
  );
  await write(
    `INSERT INTO messages (id, room_id, seq, rev, created_rev, sender_id, type, content, created_at)
     SELECT gen_random_uuid(), 'own-' || n, s, s, s, 'u2', 'text', 'x', now()
       FROM generate_series(1, $1::int) n, generate_series(1, 5) s`,
    [OWN_ROOMS],
  );
  await write(
    `INSERT INTO room_members (room_id, user_id, role)
     SELECT 'own-' || n, who, 'member' FROM generate_series(1, $1::int) n, unnest($2::text[]) who`,
    [OWN_ROOMS, [userId, 'u2']],
  );
  await write(
    `INSERT INTO room_members (room_id, user_id, role) SELECT 'crowd', 'u' || n, 'member' FROM generate_series(1, $1::int) n`,
    [PEOPLE],
  );
  await write(
    `INSERT INTO room_members (room_id, user_id, role)
     SELECT 'other-' || n, 'u' || n + who, 'member' FROM generate_series($1::int + 1, $2::int) n, generate_series(1, 10) who`,
    [OWN_ROOMS, ROOMS],
  );
  await write(`UPDATE rooms SET last_seq = $1, last_rev = $1 WHERE id = 'big'`, [MESSAGES]);
  await write(`UPDATE rooms SET member_count = $1 WHERE id = 'crowd'`, [PEOPLE + 1]);
  await write('ANALYZE');
}

async function fillInbox(writer: pg.Client, userId: string): Promise<void> {
  await writer.query(`INSERT INTO notification_inboxes (user_id) VALUES ($1) ON CONFLICT DO NOTHING`, [
    userId,
  ]);
  await writer.query(
    `INSERT INTO notifications (id, user_id, kind, title, body, room_id, message_id, seq, count, silent, grown_version,
                                created_at, updated_at, read_at, archived_at)
     SELECT gen_random_uuid(), $1, 'mention', 't', 'b', 'big', gen_random_uuid(), 1000000, 1, false, n,
            now() - n * interval '1 second', now() - n * interval '1 second',
            CASE WHEN n % 2 = 0 THEN now() END, CASE WHEN n % 4 = 0 THEN now() END
       FROM generate_series(1, $2::int) n`,
    [userId, NOTIFICATIONS],
  );
  await writer.query(
    `INSERT INTO outbox (topic, payload, due_at)
     SELECT 'message.sent', json_build_object('messageId', gen_random_uuid()), now() + interval '1 day'
       FROM generate_series(1, $1::int)`,
    [NOTIFICATIONS],
  );
  await writer.query('ANALYZE');
}

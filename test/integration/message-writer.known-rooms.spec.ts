import type { Actor } from '../harness/actor.js';
import { createTestDatabase, type TestDatabase } from '../harness/database.js';
import { TestServer } from '../harness/server.js';
import { SentStatements } from '../harness/statements.js';
import { WriterFixture } from '../harness/writer-fixture.js';

/**
 * A node writes most batches on what it remembers of a room, and the database says whether that still holds. Whatever
 * another node, or somebody at the database, has changed meanwhile counts for the very next message.
 */
describe('a room the message writer knows', () => {
  let database: TestDatabase;
  let server: TestServer;
  let writer: WriterFixture;
  let sent: SentStatements;
  let alice: Actor;
  let bob: Actor;
  let rooms = 0;

  beforeAll(async () => {
    sent = new SentStatements();
    database = await createTestDatabase();
    server = await TestServer.start({}, database);
    writer = new WriterFixture(server);
    [alice, bob] = await server.actors('alice', 'bob');
  });
  afterAll(async () => {
    await server.stop();
    await database.drop();
    sent.end();
  });
  afterEach(() => writer.expectNoGaps());

  /** With one message of bob's and one of alice's. */
  async function knownRoom(): Promise<string> {
    const roomId = `room-${String(++rooms)}`;
    await alice.does('room:create', { roomId, name: roomId, type: 'public', memberIds: [bob.id] });
    await writer.send(bob, { roomId, content: 'first' });
    await writer.send(alice, { roomId, content: 'second' });
    expect(await triesOf(() => writer.send(bob, { roomId, content: 'third' }))).toEqual(['if unchanged']);
    return roomId;
  }

  /** How the batches of `work` came to be written: on what is known, or on what was read. */
  async function triesOf(work: () => Promise<unknown>): Promise<string[]> {
    const statements = await sent.during(work, /./);
    return statements.flatMap(({ name = '' }) =>
      name.startsWith('batch-if-unchanged') ? ['if unchanged'] : name === 'batch-lock-rooms' ? ['read'] : [],
    );
  }

  it.each<[what: string, sql: string, error: string, undo: string]>([
    [
      'their membership ended',
      'DELETE FROM room_members WHERE room_id = $1 AND user_id = $2',
      'NOT_A_MEMBER',
      `INSERT INTO room_members (room_id, user_id, role) VALUES ($1, $2, 'member')`,
    ],
    [
      'they were muted there',
      `INSERT INTO restrictions (user_id, scope, kind, reason, created_by, created_by_name, by_administrator) VALUES ($2, $1, 'mute', 'x', $2, 'x', true)`,
      'MUTED',
      'DELETE FROM restrictions WHERE scope = $1 AND user_id = $2',
    ],
    [
      'they were banned everywhere',
      `WITH r AS (SELECT $1::text) INSERT INTO restrictions (user_id, scope, kind, reason, created_by, created_by_name, by_administrator) VALUES ($2, '*', 'ban', 'x', $2, 'x', true)`,
      'BANNED',
      'WITH r AS (SELECT $1::text) DELETE FROM restrictions WHERE user_id = $2',
    ],
    [
      'their account was suspended',
      'WITH r AS (SELECT $1::text) UPDATE users SET suspended_at = now() WHERE id = $2',
      'SUSPENDED',
      'WITH r AS (SELECT $1::text) UPDATE users SET suspended_at = NULL WHERE id = $2',
    ],
    [
      'the room became an announcement room',
      `UPDATE rooms SET type = 'announcement' WHERE id = $1 AND $2::text <> ''`,
      'FORBIDDEN',
      `UPDATE rooms SET type = 'public' WHERE id = $1 AND $2::text <> ''`,
    ],
    [
      'the room was archived',
      `UPDATE rooms SET archived_at = now() WHERE id = $1 AND $2::text <> ''`,
      'ROOM_ARCHIVED',
      `UPDATE rooms SET archived_at = NULL WHERE id = $1 AND $2::text <> ''`,
    ],
    [
      'the room was frozen',
      `UPDATE rooms SET frozen_at = now() WHERE id = $1 AND $2::text <> ''`,
      'ROOM_FROZEN',
      `UPDATE rooms SET frozen_at = NULL WHERE id = $1 AND $2::text <> ''`,
    ],
    [
      'slow mode began',
      `UPDATE rooms SET slow_mode_seconds = 60 WHERE id = $1 AND $2::text <> ''`,
      'SLOW_MODE',
      `UPDATE rooms SET slow_mode_seconds = 0 WHERE id = $1 AND $2::text <> ''`,
    ],
  ])('refuses somebody after %s', async (_, sql, error, undo) => {
    const roomId = await knownRoom();
    await writer.sql(sql, [roomId, bob.id]);
    const tries = await triesOf(async () => {
      await expect(writer.send(bob, { roomId, content: 'too late' })).rejects.toMatchObject({ code: error });
    });
    expect(tries).toEqual(['if unchanged', 'read']);
    expect(await writer.stored(roomId)).toHaveLength(3);
    await writer.sql(undo, [roomId, bob.id]);
    expect(await writer.send(bob, { roomId, content: 'again' })).toMatchObject({ seq: 4 });
  });

  it('asks for the role of this moment where it matters', async () => {
    const roomId = `room-${String(++rooms)}`;
    await alice.does('room:create', { roomId, name: roomId, type: 'announcement', memberIds: [bob.id] });
    await alice.does('room:role', { roomId, userId: bob.id, role: 'admin' });
    await writer.send(bob, { roomId, content: 'first' });
    await writer.send(bob, { roomId, content: 'second' });
    await writer.sql(`UPDATE room_members SET role = 'member' WHERE room_id = $1 AND user_id = $2`, [
      roomId,
      bob.id,
    ]);
    const tries = await triesOf(async () => {
      await expect(writer.send(bob, { roomId, content: 'too late' })).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
    });
    expect(tries).toEqual(['if unchanged', 'read']);
  });

  it('mentions nobody who has left, and reads who may mention all', async () => {
    const roomId = await knownRoom();
    await writer.send(bob, { roomId, content: 'hello', mentions: [alice.id] });
    const [carol] = await server.actors(`carol-${roomId}`);
    await carol.does('room:join', { roomId });
    await writer.send(bob, { roomId, content: 'hello', mentions: [carol.id] });
    expect(await triesOf(() => writer.send(bob, { roomId, content: 'again', mentions: [carol.id] }))).toEqual(
      ['if unchanged'],
    );
    await writer.sql('DELETE FROM room_members WHERE room_id = $1 AND user_id = $2', [roomId, carol.id]);
    await expect(
      writer.send(bob, { roomId, content: 'where are you?', mentions: [carol.id] }),
    ).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    const all = await triesOf(() => writer.send(alice, { roomId, content: 'all', mentions: ['@room'] }));
    expect(all).toEqual(['read']);
  });

  it('is not distrusted because somebody is muted in another one', async () => {
    const [one, other] = [await knownRoom(), await knownRoom()];
    await writer.sql(
      `INSERT INTO restrictions (user_id, scope, kind, reason, created_by, created_by_name, by_administrator)
       VALUES ($1, $2, 'mute', 'x', $1, 'x', true)`,
      [bob.id, one],
    );
    const tries = await triesOf(() =>
      Promise.all([
        writer.send(bob, { roomId: other, content: 'still fine' }),
        writer.send(alice, { roomId: one, content: 'beside it' }),
      ]),
    );
    expect(new Set(tries)).toEqual(new Set(['if unchanged']));
    await writer.sql('DELETE FROM restrictions WHERE user_id = $1', [bob.id]);
  });

  it('shows the new name of whoever writes', async () => {
    const roomId = await knownRoom();
    await writer.sql(
      `UPDATE users SET name = 'Robert', avatar_url = 'https://example.com/r.png' WHERE id = $1`,
      [bob.id],
    );
    const { messageId } = await writer.send(bob, { roomId, content: 'it is me' });
    expect(await alice.receives('message:new', { id: messageId })).toMatchObject({
      sender: { id: bob.id, name: 'Robert', avatarUrl: 'https://example.com/r.png' },
    });
  });

  it('applies new filter rules, and tells whoever has begun to want every message', async () => {
    const roomId = await knownRoom();
    const root = await server.administrator();
    const rule = { kind: 'word', pattern: 'cucumber', action: 'reject', reason: 'x' };
    expect((await root.rest('POST', '/moderation/filters', rule)).status).toBe(201);
    await expect(writer.send(bob, { roomId, content: 'a cucumber' })).rejects.toMatchObject({
      code: 'CONTENT_REJECTED',
    });
    const other = await knownRoom();
    await writer.sql(`UPDATE room_members SET notify_level = 'all' WHERE room_id = $1 AND user_id = $2`, [
      other,
      alice.id,
    ]);
    const facts = await sent.during(
      () => writer.send(bob, { roomId: other, content: 'told' }),
      /INTO outbox/,
    );
    expect(facts.map(({ name }) => name)).toEqual(['outbox-insert']);
  });

  it('goes on from where another node has left it, and is read for a while', async () => {
    const roomId = await knownRoom();
    const elsewhere = `WITH head AS (UPDATE rooms SET last_seq = last_seq + 1, last_rev = last_rev + 1 WHERE id = $1 RETURNING *)
      INSERT INTO messages (id, room_id, seq, rev, created_rev, sender_id, type, content, created_at)
      SELECT gen_random_uuid(), id, last_seq, last_rev, last_rev, $2, 'text', 'elsewhere', now() FROM head`;
    await writer.sql(elsewhere, [roomId, alice.id]);
    expect(await triesOf(() => writer.send(bob, { roomId, content: 'fifth' }))).toEqual([
      'if unchanged',
      'read',
    ]);
    expect((await writer.stored(roomId)).map(({ seq, content }) => `${String(seq)} ${content}`)).toEqual([
      '1 first',
      '2 second',
      '3 third',
      '4 elsewhere',
      '5 fifth',
    ]);
    const later = await triesOf(async () => {
      for (let index = 0; index < 10; index++) await writer.send(bob, { roomId, content: 'more' });
    });
    expect(later).toEqual([...Array<string>(7).fill('read'), ...Array<string>(3).fill('if unchanged')]);
    // The second time in a row it would be distrusted for twice as long; it has been right in between.
    await writer.sql(elsewhere, [roomId, alice.id]);
    await writer.send(bob, { roomId, content: 'and on' });
    expect(await triesOf(() => writer.send(bob, { roomId, content: 'and on' }))).toEqual(['read']);
  });

  it('answers a repeated clientMessageId with the first answer, and holds up nobody by it', async () => {
    const roomId = await knownRoom();
    const request = { roomId, content: 'once', clientMessageId: `once-${roomId}` };
    const first = await writer.send(bob, request);
    const [again, other] = await Promise.all([
      writer.send(bob, request),
      writer.send(alice, { roomId, content: 'beside it' }),
    ]);
    expect(again).toEqual({ ...first, deduplicated: true });
    expect(other).toMatchObject({ seq: 5, deduplicated: false });
  });

  it('gives messages the time of the database, later ones no earlier time', async () => {
    const roomId = await knownRoom();
    const answers = [];
    for (let index = 0; index < 5; index++) answers.push(await writer.send(bob, { roomId, content: 'tick' }));
    const { messages } = await alice.does('message:history', { roomId });
    const told = alice.got('message:new').filter((message) => message.roomId === roomId);
    const stored = new Map(messages.map(({ id, createdAt }) => [id, createdAt]));
    for (const { messageId, createdAt } of answers) expect(createdAt).toBe(stored.get(messageId));
    for (const { id, createdAt } of told) expect(createdAt).toBe(stored.get(id));
    const times = messages.map(({ createdAt }) => createdAt);
    expect(times).toEqual([...times].sort());
  });
});

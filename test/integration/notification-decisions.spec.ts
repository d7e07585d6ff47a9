import { DataSource } from 'typeorm';
import type { DecisionReason, NotificationDecision } from '../../src/contract/notifications.js';
import type { Page } from '../../src/contract/rest.js';
import { Outbox } from '../../src/platform/outbox/outbox.js';
import type { Actor } from '../harness/actor.js';
import { createTestDatabase, type TestDatabase } from '../harness/database.js';
import { TestServer } from '../harness/server.js';
import { onPostgres } from '../harness/writer-fixture.js';

/** Everything that can happen between the commit of a message and the decision on it. */
describe('decisions', () => {
  jest.setTimeout(60_000);
  let database: TestDatabase;
  const servers: TestServer[] = [];

  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
    await database.drop();
  });

  async function start(environment: Record<string, string> = {}): Promise<TestServer> {
    const server = await TestServer.start(environment, database);
    servers.push(server);
    return server;
  }

  /** One that writes messages and never gets round to deciding them, as one that is about to crash. */
  async function startWithoutDeciding(): Promise<TestServer> {
    const server = await start();
    await server.app.get(Outbox).stop();
    return server;
  }

  async function end(server: TestServer): Promise<void> {
    servers.splice(servers.indexOf(server), 1);
    await server.stop();
  }

  const ask = async (asker: Actor, messageId: string, userId?: string): Promise<NotificationDecision> => {
    const query = `messageId=${messageId}${userId === undefined ? '' : `&userId=${userId}`}`;
    const { body } = await asker.rest('GET', `/notifications/decisions?${query}`);
    return (body as Page<NotificationDecision>).data[0] as NotificationDecision;
  };
  async function nothingPending(server: TestServer): Promise<void> {
    const deadline = Date.now() + 10_000;
    while ((await server.app.get(Outbox).waiting()) > 0)
      if (Date.now() > deadline) throw new Error('The outbox does not empty');
  }

  it('are made by the next server, once, when the first crashed before it came to them', async () => {
    const first = await startWithoutDeciding();
    const [alice, bob] = await first.actors('alice', 'bob');
    const roomId = await alice.startsDirectWith(bob);
    const sent = await Promise.all(
      Array.from({ length: 5 }, (_, index) => alice.sends(roomId, String(index))),
    );
    for (const { messageId } of sent)
      expect(await ask(bob, messageId)).toEqual({ messageId, userId: bob.id, reason: 'pending' });
    await end(first);

    const second = await start();
    const [sql] = [second.app.get(DataSource)];
    await nothingPending(second);
    expect(
      await sql.query(
        'SELECT user_id, reason, count(*)::int AS n FROM notification_decisions GROUP BY 1, 2 ORDER BY 2',
      ),
    ).toEqual([
      { user_id: bob.id, reason: 'notified', n: 5 },
      { user_id: alice.id, reason: 'own_message', n: 5 },
    ]);
    expect(await sql.query('SELECT user_id, count FROM notifications')).toEqual([
      { user_id: bob.id, count: 5 },
    ]);
  });

  it('say what held when they were made', async () => {
    const first = await startWithoutDeciding();
    const [alice, bob, carol, dave, erin] = await first.actors('alice', 'bob', 'carol', 'dave', 'erin');
    const hall = 'hall';
    await alice.does('room:create', { roomId: hall, type: 'public', name: 'Hall', history: 'since_join' });
    for (const actor of [bob, carol, dave, erin]) await actor.does('room:join', { roomId: hall });
    const direct = await alice.startsDirectWith(bob);
    const expected: [string, Actor, DecisionReason][] = [];
    const expects = async (
      roomId: string,
      who: Actor,
      reason: DecisionReason,
      act: (id: string) => Promise<unknown>,
    ) => {
      const { messageId } = await alice.sends(roomId, reason, { mentions: [who.id] });
      await act(messageId);
      expected.push([messageId, who, reason]);
    };
    const nothing = () => Promise.resolve();

    await expects(hall, alice, 'own_message', nothing);
    await expects(hall, bob, 'already_read', (messageId) =>
      bob.does('message:read', { roomId: hall, messageId }),
    );
    await expects(hall, carol, 'hidden_history', async () => {
      await carol.does('room:leave', { roomId: hall });
      await carol.does('room:join', { roomId: hall });
    });
    await expects(hall, dave, 'not_a_member', () => dave.does('room:leave', { roomId: hall }));
    await expects(hall, erin, 'suspended', () =>
      first.app.get(DataSource).query('UPDATE users SET suspended_at = now() WHERE id = $1', [erin.id]),
    );
    const deleted = await alice.sends(direct, 'oops');
    await alice.does('message:delete', { messageId: deleted.messageId });
    expected.push([deleted.messageId, bob, 'message_deleted']);
    await end(first);

    const second = await start();
    const root = await second.administrator();
    await nothingPending(second);
    for (const [messageId, { id, user }, reason] of expected)
      expect([user.username, (await ask(root, messageId, id)).reason]).toEqual([user.username, reason]);
  });

  it('reach as many members with @room as the server allows, those first who read there last', async () => {
    const server = await start({ NOTIFY_ROOM_LIMIT: '1' });
    const [alice, bob, carol, late] = await server.actors('alice', 'bob', 'carol', 'late');
    await alice.does('room:join', { roomId: 'hall', roomName: 'Hall' });
    for (const actor of [bob, carol]) await actor.does('room:join', { roomId: 'hall' });
    const { seq } = await alice.sends('hall', 'first');
    await carol.does('message:read', { roomId: 'hall', seq });
    const { messageId } = await alice.sends('hall', 'everybody!', { mentions: ['@room'] });
    await late.does('room:join', { roomId: 'hall' });
    await nothingPending(server);
    expect(await ask(carol, messageId)).toMatchObject({ reason: 'notified', cause: 'room_mention' });
    expect(await ask(bob, messageId)).toEqual({ messageId, userId: bob.id, reason: 'room_mention_capped' });
    expect(await ask(alice, messageId)).toMatchObject({ reason: 'own_message', cause: 'room_mention' });
    expect(await ask(late, messageId)).toEqual({ messageId, userId: late.id, reason: 'no_cause' });
  });

  (onPostgres() ? it : it.skip)('are made once when two servers drain at the same time', async () => {
    const writing = await startWithoutDeciding();
    const [alice, bob, carol] = await writing.actors('alice', 'bob', 'carol');
    const rooms = await Promise.all([
      alice.startsDirectWith(bob),
      alice.startsDirectWith(carol),
      bob.startsDirectWith(carol),
    ]);
    const writers = [alice, alice, bob];
    const sent = await Promise.all(
      Array.from({ length: 450 }, (_, index) =>
        (writers[index % 3] as Actor).sends(rooms[index % 3] as string, 'x'),
      ),
    );
    await Promise.all(
      sent
        .slice(0, 60)
        .map(({ messageId }, index) => (writers[index % 3] as Actor).does('message:delete', { messageId })),
    );
    await Promise.all([start(), start()]);
    await nothingPending(writing);
    const sql = writing.app.get(DataSource);
    expect(await sql.query('SELECT count(*)::int AS n FROM notification_decisions')).toEqual([{ n: 900 }]);
    // Each notification counts exactly the decisions that lead to it, whoever made them.
    expect(
      await sql.query(
        `SELECT n.id FROM notifications n WHERE n.count <> (SELECT count(*) FROM notification_decisions d WHERE d.notification_id = n.id)`,
      ),
    ).toEqual([]);
    // Nothing tells of a message that is deleted, whether that was decided before or after.
    expect(
      await sql.query(
        `SELECT d.reason FROM notification_decisions d JOIN messages m ON m.id = d.message_id
          WHERE m.deleted_at IS NOT NULL AND d.notification_id IS NOT NULL`,
      ),
    ).toEqual([]);
    expect(await sql.query('SELECT count(*)::int AS n FROM outbox WHERE dead_at IS NOT NULL')).toEqual([
      { n: 0 },
    ]);
  });
});

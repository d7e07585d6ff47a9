import { DataSource } from 'typeorm';
import { InboxesRepository } from '../../src/notifications/inboxes.repository.js';
import { Outbox } from '../../src/platform/outbox/outbox.js';
import type { Actor } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';

const MANY = 2500;

describe('reading a room', () => {
  let server: TestServer;
  let sql: DataSource;
  let alice: Actor;
  let bob: Actor;

  beforeEach(async () => {
    server = await TestServer.start();
    sql = server.app.get(DataSource);
    [alice, bob] = await server.actors('alice', 'bob');
    await alice.does('room:join', { roomId: 'hall', roomName: 'Hall' });
    await bob.does('room:join', { roomId: 'hall' });
  });
  afterEach(() => server.stop());

  /** Notifications of the first message of the hall, each on its own. */
  async function fill(): Promise<void> {
    await bob.notifications.connect();
    await alice.sends('hall', 'one', { mentions: [bob.id] });
    await bob.notifications.receives('notification:new', { kind: 'mention' });
    await sql.query(
      `INSERT INTO notifications (id, user_id, kind, title, body, room_id, message_id, seq, count, silent, grown_version,
                                  created_at, updated_at)
       SELECT gen_random_uuid(), $1, 'mention', 't', 'b', 'hall', gen_random_uuid(), 1, 1, false, 1, now(), now()
         FROM generate_series(1, $2::int)`,
      [bob.id, MANY],
    );
  }
  const unread = async () => {
    const [row] = await sql.query<{ n: number }[]>(
      'SELECT count(*)::int AS n FROM notifications WHERE user_id = $1 AND read_at IS NULL',
      [bob.id],
    );
    return row?.n;
  };

  it('marks however much there was told of it, in events of a bounded size', async () => {
    // The ids were gathered in a way that took the square of their number, on the thread that serves everybody.
    await fill();
    await bob.does('message:read', { roomId: 'hall', seq: 1 });
    const slices = () =>
      bob.notifications.got('notification:read').map((event) => ('ids' in event ? event.ids.length : NaN));
    await bob.notifications.inbox.until(
      () => slices().reduce((sum, length) => sum + length, 0) === MANY + 1,
      'every notification to be read',
    );
    expect(Math.max(...slices())).toBeLessThanOrEqual(1000);
    expect(await unread()).toBe(0);
  });

  it('marks what is left of a notification whose unread message is deleted', async () => {
    // It stayed unread until somebody looked into the inbox.
    await bob.notifications.connect();
    const first = await alice.sends('hall', 'one', { mentions: [bob.id] });
    const second = await alice.sends('hall', 'two', { mentions: [bob.id] });
    const told = bob.notifications;
    await told.inbox.until(
      () =>
        [...told.got('notification:new'), ...told.got('notification:updated')].some(
          ({ count }) => count === 2,
        ),
      'a notification of both',
    );
    await bob.does('message:read', { roomId: 'hall', messageId: first.messageId });
    expect(await unread()).toBe(1);
    await alice.does('message:delete', { messageId: second.messageId });
    await told.receives('notification:read');
    await told.receives('notification:counts', { unread: 0 });
  });

  it('and an inbox as a whole is told once, however long it is', async () => {
    await fill();
    await bob.notifications.does('notification:read', { all: true });
    expect(await unread()).toBe(0);
    await bob.notifications.receives('notification:counts', { unread: 0 });
    expect(bob.notifications.got('notification:read')).toEqual([
      { all: true, readAt: expect.any(String) as string },
    ]);
    const [{ times } = { times: 0 }] = await sql.query<{ times: number }[]>(
      'SELECT count(DISTINCT read_at)::int AS times FROM notifications WHERE user_id = $1',
      [bob.id],
    );
    expect(times).toBe(1);
  });

  it('is told with the counts even when they could not be read at first', async () => {
    // A statement that failed once left up to 200 people with wrong counts until something else happened to them.
    await bob.notifications.connect();
    const counts = jest.spyOn(server.app.get(InboxesRepository), 'counts');
    counts.mockRejectedValueOnce(new Error('The database is away'));
    await alice.sends('hall', 'one', { mentions: [bob.id] });
    await bob.notifications.receives('notification:counts', { unread: 1 });
    expect(counts.mock.calls.length).toBeGreaterThan(1);
  });

  it('hands on to push and e-mail only what has somewhere to go', async () => {
    // A fact for everybody cost each message another transaction, for people without a browser or an address.
    await bob.notifications.connect();
    const append = jest.spyOn(server.app.get(Outbox), 'append');
    const facts = () => append.mock.calls.map(([, , payloads]) => payloads.length);
    await alice.sends('hall', 'one', { mentions: [bob.id] });
    await bob.notifications.receives('notification:counts', { unread: 1 });
    expect(facts()).toEqual([0]);
    await sql.query(
      `INSERT INTO push_subscriptions (id, user_id, endpoint, p256dh, auth)
       VALUES (gen_random_uuid(), $1, 'http://127.0.0.1:9/push', 'x', 'x')`,
      [bob.id],
    );
    await alice.sends('hall', 'two', { mentions: [bob.id] });
    await bob.notifications.receives('notification:updated', { count: 2 });
    expect(facts()).toEqual([0, 1]);
  });
});

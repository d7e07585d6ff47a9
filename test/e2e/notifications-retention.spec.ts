import { DataSource } from 'typeorm';
import type { Notification, NotificationDecision } from '../../src/contract/notifications.js';
import type { Page } from '../../src/contract/rest.js';
import { NotificationRetention } from '../../src/notifications/retention.service.js';
import type { Actor } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';

const inDays = (days: number) => new Date(Date.now() + days * 86_400_000);

/** The tables of notifications grew for ever. What is older than NOTIFICATION_DAYS goes, and no sooner. */
describe('what was told long ago', () => {
  let server: TestServer;
  let alice: Actor, bob: Actor, root: Actor;

  beforeEach(async () => {
    server = await TestServer.start({ NOTIFICATION_DAYS: '30' });
    root = await server.administrator();
    [alice, bob] = await server.actors('alice', 'bob');
    await bob.notifications.connect();
  });
  afterEach(() => server.stop());

  const tidy = (days: number) => server.app.get(NotificationRetention, { strict: false }).run(inDays(days));
  const list = async () => (await bob.notifications.does('notification:list', {})).notifications;
  const rows = (table: string) =>
    server.app.get(DataSource).query<{ n: number }[]>(`SELECT count(*)::int AS n FROM ${table}`);
  const announce = async (title: string) => {
    const sent = await root.rest('POST', '/admin/announcements', { title, body: 'b', reason: 'a test' });
    expect(sent.status).toBe(201);
    return bob.notifications.receives('announcement', { title });
  };
  async function tells(content: string): Promise<string> {
    const { messageId } = await alice.sends(await alice.startsDirectWith(bob), content);
    await bob.notifications.receives('notification:new', { messageId });
    return messageId;
  }

  it('is removed from the inbox, with its reasons, and every device is told', async () => {
    const messageId = await tells('old');
    const [{ id }] = (await list()) as [Notification];
    const decision = async () =>
      (await bob.rest('GET', `/notifications/decisions?messageId=${messageId}`))
        .body as Page<NotificationDecision>;
    await tidy(29);
    expect((await list()).map((entry) => entry.id)).toEqual([id]);
    expect((await decision()).data).toMatchObject([{ reason: 'notified', notificationId: id }]);
    await tidy(31);
    await bob.notifications.receives('notification:removed', { ids: { 0: id } });
    await bob.notifications.receives('notification:counts', { unread: 0, unseen: 0 });
    expect(await list()).toEqual([]);
    expect([await rows('notifications'), await rows('notification_decisions')]).toEqual([
      [{ n: 0 }],
      [{ n: 0 }],
    ]);
  });

  it('is said to be unknown, not to have had no reason', async () => {
    const messageId = await tells('old');
    await tidy(31);
    await server.app
      .get(DataSource)
      .query(`UPDATE messages SET created_at = created_at - interval '31 days' WHERE id = $1`, [messageId]);
    const { body } = await bob.rest('GET', `/notifications/decisions?messageId=${messageId}`);
    expect((body as Page<NotificationDecision>).data).toMatchObject([{ reason: 'expired' }]);
  });

  it('goes with what everybody did with announcements, but for the newest of these', async () => {
    const old = await announce('Old');
    await bob.notifications.does('notification:read', { all: true });
    const newest = await announce('Newest');
    await bob.notifications.does('notification:read', { all: true });
    await tidy(29);
    expect(await list()).toHaveLength(2);
    const { counts } = await bob.notifications.does('notification:seen', {});
    await tidy(31);
    await bob.notifications.receives('notification:removed', { ids: { 0: old.id } });
    expect(await list()).toMatchObject([{ id: newest.id, readAt: expect.any(String) as string }]);
    expect(await rows('announcement_states')).toEqual([{ n: 1 }]);
    // Versions only grow.
    expect((await bob.notifications.does('notification:seen', {})).counts.version).toBe(counts.version);
  });

  it('may be much: it goes in several steps', async () => {
    await tells('the first');
    await server.app.get(DataSource).query(
      `INSERT INTO notifications (id, user_id, kind, title, body, count, silent, grown_version, created_at, updated_at)
       SELECT ('01980000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, $1, 'custom', 't', 'b', 1, false, 0, t, t
         FROM generate_series(1, 1200) n, (SELECT now() - interval '100 days' AS t) x`,
      [bob.id],
    );
    await tidy(0);
    expect(await rows('notifications')).toEqual([{ n: 1 }]);
    expect(bob.notifications.got('notification:removed').map(({ ids }) => ids.length)).toEqual([
      500, 500, 200,
    ]);
  });

  // The idempotency key of a custom notification is promised for ever.
  it('does not take the answers to custom notifications with it', async () => {
    const send = async () =>
      (
        await root.rest(
          'POST',
          '/notifications',
          { userIds: [bob.id], title: 'x' },
          { 'idempotency-key': 'k' },
        )
      ).body;
    const first = await send();
    await tidy(31);
    expect(await list()).toEqual([]);
    expect(await send()).toEqual(first);
    expect(await list()).toEqual([]);
  });
});

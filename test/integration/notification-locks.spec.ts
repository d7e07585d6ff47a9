import { DataSource, type QueryRunner } from 'typeorm';
import type { DecisionReason, NotificationDecision } from '../../src/contract/notifications.js';
import type { Page } from '../../src/contract/rest.js';
import { InboxesRepository } from '../../src/notifications/inboxes.repository.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { Outbox } from '../../src/platform/outbox/outbox.js';
import type { Actor } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';
import { onPostgres } from '../harness/writer-fixture.js';

/** An inbox that somebody holds, for as long as a slow node or a person with a huge inbox might. The embedded database has one connection. */
(onPostgres() ? describe : describe.skip)('an inbox that stays locked', () => {
  jest.setTimeout(60_000);
  let server: TestServer;
  let sql: DataSource;
  let holder: QueryRunner;

  beforeEach(async () => {
    server = await TestServer.start();
    sql = server.app.get(DataSource);
    holder = sql.createQueryRunner();
    await holder.startTransaction();
  });
  afterEach(async () => {
    if (holder.isTransactionActive) await holder.rollbackTransaction();
    await holder.release();
    await server.stop();
  });

  const hold = ({ id }: Actor) =>
    holder.query('SELECT FROM notification_inboxes WHERE user_id = $1 FOR UPDATE', [id]);

  async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
    const deadline = Date.now() + 10_000;
    while (!(await holds())) if (Date.now() > deadline) throw new Error(`Waited for ${what}`);
  }
  const someoneWaits = () =>
    until(
      async () =>
        (
          await sql.query<unknown[]>(
            `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
          )
        ).length > 0,
      'somebody to wait for a lock',
    );
  const decided = () => until(async () => (await server.app.get(Outbox).waiting()) === 0, 'an empty outbox');
  async function reasonFor(asker: Actor, messageId: string): Promise<DecisionReason | undefined> {
    const { body } = await asker.rest('GET', `/notifications/decisions?messageId=${messageId}`);
    return (body as Page<NotificationDecision>).data[0]?.reason;
  }

  it('stops neither deciding for the others nor anybody’s messages, not even with a deletion to take back', async () => {
    // One busy inbox and one deletion stopped the deciding for everybody, and with it, over a lock of the same number, all writing.
    const [alice, bob, carol, dave] = await server.actors('alice', 'bob', 'carol', 'dave');
    const withBob = await alice.startsDirectWith(bob);
    const withDave = await carol.startsDirectWith(dave);
    await dave.notifications.connect();
    const deleted = await alice.sends(withBob, 'oops');
    await decided();
    await hold(bob);

    await alice.does('message:delete', { messageId: deleted.messageId });
    const kept = await alice.sends(withBob, 'to a held inbox');
    for (const content of ['one', 'two', 'three']) {
      const { messageId } = await carol.sends(withDave, content);
      await until(
        async () => (await reasonFor(dave, messageId)) === 'notified',
        `the decision on ${content}`,
      );
    }
    await dave.notifications.receives('notification:counts', { unread: 1 });
    expect(await reasonFor(bob, kept.messageId)).toBe('pending');
    // Waiting is no failure.
    const attempts = await sql.query<unknown[]>(
      'SELECT FROM outbox WHERE attempts > 0 OR dead_at IS NOT NULL',
    );
    expect(attempts).toEqual([]);

    await holder.commitTransaction();
    await decided();
    expect(await reasonFor(bob, kept.messageId)).toBe('notified');
    expect(
      (await sql.query('SELECT count FROM notifications WHERE user_id = $1', [bob.id])) as unknown,
    ).toEqual([{ count: 1 }]);
  });

  it('is told nothing of a room its owner was kicked from while it was waited for', async () => {
    // Memberships were read before the wait: a kick that was acknowledged long ago did not hold.
    const [alice, bob] = await server.actors('alice', 'bob');
    await alice.does('room:create', { roomId: 'priv', type: 'private', name: 'P', memberIds: [bob.id] });
    await decided();
    await hold(bob);
    const { messageId } = await alice.sends('priv', 'secret', { mentions: [bob.id] });
    await someoneWaits();
    await alice.does('room:kick', { roomId: 'priv', userId: bob.id });
    await holder.commitTransaction();
    await decided();
    const root = await server.administrator();
    expect(await reasonFor(root, messageId)).toBe('not_a_member');
    const told = await sql.query<unknown[]>(`SELECT FROM notifications WHERE message_id = $1`, [messageId]);
    expect(told).toEqual([]);
  });

  it('is not waited for by somebody who keeps others waiting for another', async () => {
    // Two who made each other's first inbox while they held older ones were a deadlock.
    const [old, young] = await server.actors('old', 'young');
    const inboxes = server.app.get(InboxesRepository);
    const lockBoth = () => server.app.get(UnitOfWork).run((tx) => inboxes.lock(tx, [old.id, young.id]));
    await server.app.get(UnitOfWork).run((tx) => inboxes.lock(tx, [old.id]));
    await holder.query('INSERT INTO notification_inboxes (user_id) VALUES ($1)', [young.id]);
    const both = lockBoth();
    await someoneWaits();
    await holder.query('SELECT FROM notification_inboxes WHERE user_id = $1 FOR UPDATE NOWAIT', [old.id]);
    await holder.commitTransaction();
    expect((await both).of(young.id).version).toBe(0);
  });
});

import { DataSource } from 'typeorm';
import type { NotificationDecision } from '../../src/contract/notifications.js';
import type { Page } from '../../src/contract/rest.js';
import type { Actor } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';
import { onPostgres } from '../harness/writer-fixture.js';

/** What somebody is no longer told of a room they are no longer in. */
describe('whoever is not in a room any more', () => {
  let server: TestServer;
  let alice: Actor, bob: Actor;
  let people = 0;

  beforeAll(async () => {
    server = await TestServer.start();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    people += 1;
    [alice, bob] = await server.actors(`alice-${String(people)}`, `bob-${String(people)}`);
    await bob.notifications.connect();
  });

  async function cellar(): Promise<string> {
    const { room } = await alice.does('room:create', {
      type: 'private',
      name: 'Cellar',
      memberIds: [bob.id],
    });
    await bob.notifications.receives('notification:new', { kind: 'invite', roomId: room.id });
    return room.id;
  }
  async function mentions(roomId: string, content: string): Promise<string> {
    const { messageId } = await alice.sends(roomId, content, { mentions: [bob.id] });
    const told = () => [
      ...bob.notifications.got('notification:new'),
      ...bob.notifications.got('notification:updated'),
    ];
    await bob.notifications.inbox.until(
      () => told().some((notification) => notification.messageId === messageId),
      content,
    );
    return messageId;
  }
  const list = async () => (await bob.notifications.does('notification:list', {})).notifications;
  const removed = () => bob.notifications.got('notification:removed').flatMap(({ ids }) => ids);

  // Notifications of a private room stayed with whoever was removed from it, and could never be read away.
  it.each([
    ['kick', (roomId: string) => alice.does('room:kick', { roomId, userId: bob.id })],
    [
      'ban',
      (roomId: string) =>
        alice.rest('PUT', `/moderation/rooms/${roomId}/bans/${bob.id}`, { reason: 'a test' }),
    ],
    ['leave', (roomId: string) => bob.does('room:leave', { roomId })],
  ])('has nothing of it in the inbox after a %s, not even the invite', async (_, end) => {
    const direct = await alice.startsDirectWith(bob);
    const { messageId: elsewhere } = await alice.sends(direct, 'stays');
    await bob.notifications.receives('notification:new', { messageId: elsewhere });
    const roomId = await cellar();
    const messageId = await mentions(roomId, 'hello');
    const ids = (await list()).filter((entry) => entry.roomId === roomId).map(({ id }) => id);
    expect(ids).toHaveLength(2);
    await end(roomId);
    await bob.notifications.inbox.until(() => ids.every((id) => removed().includes(id)), 'their removal');
    await bob.notifications.receives('notification:counts', { unread: 1, unseen: 1 });
    expect(await list()).toMatchObject([{ messageId: elsewhere }]);
    // That they were told is still known.
    const { body } = await bob.rest('GET', `/notifications/decisions?messageId=${messageId}`);
    const [decision] = (body as Page<NotificationDecision>).data;
    expect(decision).toMatchObject({ reason: 'notified' });
    expect(decision).not.toHaveProperty('notificationId');
  });

  it('and comes back, keeps what they were told since', async () => {
    const roomId = await cellar();
    await mentions(roomId, 'before');
    const held = await holdInbox(bob);
    await alice.does('room:kick', { roomId, userId: bob.id });
    await alice.does('room:invite', { roomId, userId: bob.id });
    await held.release();
    const invite = () => bob.notifications.got('notification:new').filter(({ kind }) => kind === 'invite')[1];
    await bob.notifications.inbox.until(() => invite() !== undefined, 'the second invite');
    await mentions(roomId, 'after');
    await bob.notifications.inbox.until(() => removed().length > 0, 'what was removed');
    const kept = (await list()).map(({ kind, body }) => [kind, body]);
    expect(kept).toContainEqual(['mention', 'after']);
    expect(kept.filter(([kind]) => kind === 'invite')).toHaveLength(1);
    expect(kept).not.toContainEqual(['mention', 'before']);
  });

  // A decision that had looked at the members just before a kick told of a message just after it.
  (onPostgres() ? it : it.skip)('is not told what was being decided when they left', async () => {
    const roomId = await cellar();
    const held = await holdInbox(bob);
    const { messageId } = await alice.sends(roomId, 'secret', { mentions: [bob.id] });
    await held.waitedFor();
    await alice.does('room:kick', { roomId, userId: bob.id });
    await held.release();
    await fenceOfFacts();
    expect((await list()).filter((entry) => entry.roomId === roomId)).toEqual([]);
    expect(bob.notifications.got('notification:new').filter((n) => n.messageId === messageId)).toEqual([]);
  });

  // The notification that lost a message was made anew from the room's name and its other message as they are now: it
  // told somebody who had been removed what was written after that.
  it('is not told the name and the texts of later when a message is deleted', async () => {
    const roomId = await cellar();
    const first = await mentions(roomId, 'harmless');
    const second = await mentions(roomId, 'second');
    const held = await holdInbox(bob);
    await alice.does('room:kick', { roomId, userId: bob.id });
    await alice.does('message:edit', { messageId: first, content: 'SECRET' });
    await alice.does('room:update', { roomId, name: 'SECRET' });
    await alice.does('message:delete', { messageId: second });
    await held.release();
    await fenceOfFacts();
    expect(JSON.stringify(bob.notifications.got('notification:updated'))).not.toContain('SECRET');
    expect(await list()).toEqual([]);
  });

  // Of what stays, a deletion takes back its share and no more: an edit is not told by the way.
  it('or is, sees an edit no sooner than the deletion of what was written after it', async () => {
    const roomId = await cellar();
    const first = await mentions(roomId, 'first');
    const second = await mentions(roomId, 'second');
    await alice.does('message:edit', { messageId: second, content: 'second, edited' });
    await alice.does('message:delete', { messageId: first });
    await bob.notifications.receives('notification:updated', { count: 1, body: 'second' });
    expect(await list()).toMatchObject([{ count: 1, body: 'second' }, { kind: 'invite' }]);
  });

  /** Nobody else gets to write into the inbox until it is released. */
  async function holdInbox({ id }: Actor) {
    const source = server.app.get(DataSource);
    if (!onPostgres()) return { waitedFor: () => Promise.resolve(), release: () => Promise.resolve() };
    const holder = source.createQueryRunner();
    await holder.startTransaction();
    await holder.query('SELECT FROM notification_inboxes WHERE user_id = $1 FOR UPDATE', [id]);
    const [{ pid }] = (await holder.query('SELECT pg_backend_pid() AS pid')) as [{ pid: number }];
    return {
      async waitedFor(): Promise<void> {
        const deadline = Date.now() + 8000;
        for (;;) {
          const waiting = await source.query<unknown[]>(
            'SELECT FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))',
            [pid],
          );
          if (waiting.length > 0) return;
          if (Date.now() > deadline) throw new Error('Nobody waits for the inbox');
        }
      },
      async release(): Promise<void> {
        await holder.commitTransaction();
        await holder.release();
      },
    };
  }

  /** Until what has happened so far is dealt with: the outbox holds nothing any more. */
  async function fenceOfFacts(): Promise<void> {
    const source = server.app.get(DataSource);
    const deadline = Date.now() + 8000;
    const waiting = async () =>
      (await source.query<unknown[]>('SELECT FROM outbox WHERE dead_at IS NULL LIMIT 1')).length;
    while ((await waiting()) > 0) if (Date.now() > deadline) throw new Error('The outbox does not empty');
  }
});

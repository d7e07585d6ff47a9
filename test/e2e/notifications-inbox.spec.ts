import type { Notification, NotificationCounts } from '../../src/contract/notifications.js';
import type { Page } from '../../src/contract/rest.js';
import { AnnouncementsService } from '../../src/notifications/announcements.service.js';
import type { Actor } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';
import { identity } from '../harness/writer-fixture.js';

/** The inbox: what is in it, what is taken out of it, and that all devices agree. */
describe('the inbox', () => {
  let server: TestServer;
  let alice: Actor, bob: Actor, phone: Actor, root: Actor;
  let people = 0;

  beforeAll(async () => {
    server = await TestServer.start();
    root = await server.administrator();
  });
  afterAll(() => server.stop());
  // Others for each test: their inboxes are empty, and what was announced before is not for them.
  beforeEach(async () => {
    people += 1;
    [alice, bob] = await server.actors(`alice-${String(people)}`, `bob-${String(people)}`);
    phone = server.actor(bob.session);
    for (const actor of [bob, phone]) await actor.notifications.connect();
  });

  const list = async (actor: Actor, query = ''): Promise<Page<Notification>> =>
    (await actor.rest('GET', `/notifications${query}`)).body as Page<Notification>;
  const counts = (actor: Actor): NotificationCounts => actor.notifications.got('notification:counts').at(-1)!;
  /** Sends, and waits until bob was told, anew or by one more. */
  async function tells(roomId: string, content: string, more: object = {}): Promise<Notification> {
    const { messageId } = await alice.sends(roomId, content, more);
    const about = () =>
      [...bob.notifications.got('notification:new'), ...bob.notifications.got('notification:updated')].find(
        (notification) => notification.messageId === messageId,
      );
    await bob.notifications.inbox.until(() => about() !== undefined, `a notification of ${content}`);
    return about() as Notification;
  }

  describe('digests', () => {
    it('makes one notification that counts of what comes in a row in one room', async () => {
      const roomId = await alice.startsDirectWith(bob);
      const first = await tells(roomId, 'one');
      await bob.notifications.does('notification:seen', {});
      const second = await tells(roomId, 'two');
      expect(second).toMatchObject({ id: first.id, count: 2, body: 'two', createdAt: first.createdAt });
      expect(bob.notifications.got('notification:updated')).toEqual([second]);
      expect((await list(bob)).data).toEqual([second]);
      await bob.notifications.receives('notification:counts', { unread: 1, unseen: 1 });
      // Another kind, another thread and another room are told for themselves.
      const mention = await tells(roomId, 'three', { mentions: [bob.id] });
      const thread = await tells(roomId, 'four', { mentions: [bob.id], threadId: mention.messageId });
      expect(new Set([first.id, mention.id, thread.id]).size).toBe(3);
      // What is read does not grow.
      await bob.notifications.does('notification:read', { ids: [first.id] });
      expect((await tells(roomId, 'five')).id).not.toBe(first.id);
    });

    it('does not when it is told to keep them apart', async () => {
      const apart = await TestServer.start({ NOTIFY_DIGEST_MS: '0' });
      try {
        const [carol, dave] = await apart.actors('carol', 'dave');
        await dave.notifications.connect();
        const roomId = await carol.startsDirectWith(dave);
        await Promise.all(['one', 'two', 'three'].map((content) => carol.sends(roomId, content)));
        await dave.notifications.inbox.until(
          () => dave.notifications.got('notification:new').length === 3,
          'three notifications',
        );
        expect((await list(dave)).data.map(({ count }) => count)).toEqual([1, 1, 1]);
      } finally {
        await apart.stop();
      }
    });

    it('takes a deleted message back, and the notification with the last', async () => {
      const roomId = await alice.startsDirectWith(bob);
      const first = await tells(roomId, 'one');
      const second = await tells(roomId, 'two');
      await alice.does('message:delete', { messageId: second.messageId! });
      const shrunk = { id: first.id, count: 1, body: 'one', messageId: first.messageId };
      for (const device of [bob, phone]) await device.notifications.receives('notification:updated', shrunk);
      expect((await list(bob)).data).toMatchObject([shrunk]);
      await alice.does('message:delete', { messageId: first.messageId! });
      for (const device of [bob, phone])
        await device.notifications.receives('notification:removed', { ids: { 0: first.id } });
      expect((await list(bob)).data).toEqual([]);
      await bob.notifications.receives('notification:counts', { unread: 0, unseen: 0 });
      const { body } = await bob.rest('GET', `/notifications/decisions?messageId=${first.messageId!}`);
      const [decision] = (body as Page<object>).data;
      expect(decision).toMatchObject({ reason: 'notified' });
      expect(decision).not.toHaveProperty('notificationId');
    });
  });

  it('is marked on all devices when the room is read on one', async () => {
    const roomId = await alice.startsDirectWith(bob);
    const direct = await tells(roomId, 'read me');
    const inThread = await tells(roomId, 'not me', { threadId: direct.messageId, mentions: [bob.id] });
    await bob.does('message:read', { roomId, messageId: direct.messageId });
    for (const device of [bob, phone])
      await device.notifications.receives('notification:read', { ids: { 0: direct.id } });
    await phone.notifications.receives('notification:counts', { unread: 1 });
    expect((await list(bob, '?filter=unread')).data.map(({ id }) => id)).toEqual([inThread.id]);
  });

  it('is marked when one answers in the room', async () => {
    const roomId = await alice.startsDirectWith(bob);
    const { id } = await tells(roomId, 'hello?');
    // Whoever was told has been told the counts too, and the server knows what is unread where.
    await bob.notifications.receives('notification:counts', { unread: 1 });
    await bob.sends(roomId, 'hello!');
    await phone.notifications.receives('notification:read', { ids: { 0: id } });
  });

  it('heals when nobody was there to mark it', async () => {
    const roomId = await alice.startsDirectWith(bob);
    const { id } = await tells(roomId, 'hello?');
    for (const device of [bob, phone]) device.disconnect();
    await bob.rest('POST', `/rooms/${roomId}/messages`, { content: 'over REST, with no inbox open' });
    expect((await list(bob)).data).toMatchObject([{ id, readAt: expect.any(String) as string }]);
  });

  it('is seen, read and archived, over sockets and REST alike', async () => {
    const roomId = await alice.startsDirectWith(bob);
    const one = await tells(roomId, 'one');
    const two = await tells(roomId, 'two', { mentions: [bob.id] });
    const seen = await bob.notifications.does('notification:seen', {});
    expect(seen.counts).toMatchObject({ unread: 2, unseen: 0 });
    await phone.notifications.receives('notification:counts', { ...seen.counts });
    const again = (await bob.rest('POST', '/notifications/seen')).body as typeof seen;
    expect(again.counts).toEqual(seen.counts);

    const read = await bob.notifications.does('notification:read', { ids: [one.id] });
    expect(read.counts).toMatchObject({ unread: 1 });
    expect(read.counts.version).toBeGreaterThan(seen.counts.version);
    await phone.notifications.receives('notification:read', { ids: { 0: one.id } });

    const archived = (await bob.rest('POST', '/notifications/archive', { ids: [two.id] }))
      .body as typeof seen;
    expect(archived.counts).toMatchObject({ unread: 0, unseen: 0 });
    await phone.notifications.receives('notification:archived', { ids: { 0: two.id } });
    expect((await list(bob)).data.map(({ id }) => id)).toEqual([one.id]);
    expect((await list(bob, '?filter=archived')).data).toMatchObject([
      { id: two.id, readAt: expect.any(String) as string, archivedAt: expect.any(String) as string },
    ]);
    expect((await bob.rest('GET', `/notifications/${two.id}`)).body).toMatchObject({ id: two.id });
  });

  it('is read as a whole', async () => {
    const roomId = await alice.startsDirectWith(bob);
    await tells(roomId, 'one');
    await tells(roomId, 'two', { mentions: [bob.id] });
    const { counts: after } = await bob.notifications.does('notification:read', { all: true });
    expect(after).toMatchObject({ unread: 0, unseen: 0 });
    const told = (await phone.notifications.receives('notification:read', { all: true })) as {
      readAt: string;
    };
    expect((await list(bob)).data.map(({ readAt }) => readAt)).toEqual([told.readAt, told.readAt]);
    const last = await bob.notifications.does('notification:read', { all: true });
    expect(last.counts).toEqual(after);
  });

  it('comes in pages, announcements among the rest', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 3; index++) {
      const roomId = `room-${String(index)}`;
      await alice.does('room:join', { roomId, roomName: roomId });
      await bob.does('room:join', { roomId });
      ids.unshift((await tells(roomId, 'hey', { mentions: [bob.id] })).id);
      ids.unshift(await announce(`number ${String(index)}`));
    }
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await list(bob, `?limit=2${cursor === undefined ? '' : `&cursor=${cursor}`}`);
      expect(page.data.length).toBe(2);
      found.push(...page.data.map(({ id }) => id));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(found).toEqual(ids);
    const refused = await bob.notifications.refused('notification:list', { cursor: 'made up' });
    expect(refused).toMatchObject({ code: 'VALIDATION_FAILED', details: [{ path: 'cursor' }] });
  });

  const announce = async (title: string): Promise<string> => {
    const { announcement } = await server.app
      .get(AnnouncementsService)
      .send({ ...identity(root), role: 'admin' }, { title, body: `${title}, in full`, reason: 'a test' });
    return announcement.id;
  };

  describe('announcements', () => {
    // The banner showed another name than the entry of the same announcement after a rename, and no avatar.
    it('are told as they are listed, with the name and avatar of their maker', async () => {
      const avatarUrl = 'https://example.com/boss.png';
      const boss = await server.administrator('boss');
      await boss.rest('PATCH', '/users/me', { avatarUrl, name: 'Boss of all' });
      await boss.rest('POST', '/admin/announcements', {
        title: 'Air',
        body: 'Air, in full',
        reason: 'a test',
      });
      const { from } = await bob.notifications.receives('announcement', { title: 'Air' });
      expect(from).toEqual({ id: boss.id, name: 'Boss of all', avatarUrl });
      expect((await list(bob)).data[0]?.actor).toEqual(from);
    });

    it('reach everybody as one row, and each reads them for themselves', async () => {
      await alice.notifications.connect();
      const id = await announce('Water');
      for (const actor of [alice, bob, phone])
        expect(await actor.notifications.receives('announcement', { id })).toMatchObject({
          title: 'Water',
          from: { id: root.id, name: 'root' },
        });
      await bob.notifications.receives('notification:counts', { unread: 1, unseen: 1 });
      expect((await list(bob)).data).toMatchObject([
        { id, kind: 'announcement', title: 'Water', body: 'Water, in full', actor: { id: root.id } },
      ]);
      await bob.notifications.does('notification:read', { ids: [id] });
      expect(await list(bob, '?filter=unread')).toMatchObject({ data: [] });
      expect((await list(alice, '?filter=unread')).data).toMatchObject([{ id }]);
      await bob.notifications.does('notification:archive', { ids: [id] });
      expect(await list(bob)).toMatchObject({ data: [] });
      expect((await list(bob, '?filter=archived')).data).toMatchObject([{ id }]);
    });

    it('are not for those who came later, nor for those who want none', async () => {
      const id = await announce('Early');
      const [late] = await server.actors('late');
      expect((await list(late)).data).toEqual([]);
      expect((await late.rest('GET', `/notifications/${id}`)).status).toBe(404);
      const before = counts(bob).version;
      await bob.notifications.does('preference:set', { kind: 'announcement', channels: { inApp: false } });
      await bob.notifications.inbox.until(
        () => counts(bob).version > before && counts(bob).unread === 0,
        'no unread',
      );
      expect((await list(bob)).data).toEqual([]);
    });

    it('are read as a whole, each with the time it was read at', async () => {
      const first = await announce('First');
      await bob.notifications.does('notification:read', { all: true });
      const [{ readAt }] = (await list(bob)).data as [Notification];
      const second = await announce('Second');
      await bob.notifications.does('notification:read', { all: true });
      const [newer, older] = (await list(bob)).data as [Notification, Notification];
      expect([newer.id, older.id, older.readAt]).toEqual([second, first, readAt]);
      expect(newer.readAt).toBeDefined();
    });

    it('are audited, and of administrators only', async () => {
      await announce('Audited');
      const { body } = await root.rest('GET', '/audit-log?act=announcement.send');
      expect((body as Page<object>).data[0]).toMatchObject({ reason: 'a test', after: { title: 'Audited' } });
      const refused = () =>
        server.app.get(AnnouncementsService).send(identity(bob), { title: 'x', body: 'x', reason: 'x' });
      expect(refused).toThrow('Only administrators');
    });
  });

  describe('custom notifications', () => {
    const send = (actor: Actor, body: object, key?: string) =>
      actor.rest('POST', '/notifications', body, key === undefined ? {} : { 'idempotency-key': key });

    it('are sent once for each key, for ever', async () => {
      const request = {
        userIds: [bob.id, alice.id],
        title: 'Order 7',
        body: 'is ready',
        url: 'https://shop.example/7',
      };
      const answers = await Promise.all([send(root, request, 'k-1'), send(root, request, 'k-1')]);
      answers.push(await send(root, request, 'k-1'));
      for (const { status, body } of answers)
        expect({ status, body }).toEqual({ status: 201, body: answers[0].body });
      const { notifications } = answers[0].body as { notifications: { userId: string; id: string }[] };
      expect(notifications.map(({ userId }) => userId)).toEqual(request.userIds);
      expect((await list(bob)).data).toMatchObject([
        { id: notifications[0]?.id, kind: 'custom', title: 'Order 7', body: 'is ready', url: request.url },
      ]);
      expect(await send(root, { ...request, title: 'Order 8' }, 'k-1')).toMatchObject({
        status: 422,
        body: { code: 'IDEMPOTENCY_CONFLICT' },
      });
    });

    it('are of administrators, with a key, to people who are there', async () => {
      const request = { userIds: [bob.id], title: 'x' };
      expect((await send(bob, request, 'k')).status).toBe(403);
      expect((await send(root, request)).body).toMatchObject({ details: [{ path: 'Idempotency-Key' }] });
      expect(await send(root, { ...request, userIds: [bob.id, 'nobody'] }, 'k')).toMatchObject({
        status: 404,
        body: { details: [{ path: 'userIds.1' }] },
      });
      // Refused requests leave no trace: the key is still free.
      expect((await send(root, request, 'k')).status).toBe(201);
      for (const url of ['javascript:alert(1)', 'ftp://a/b', 'no url'])
        expect((await send(root, { ...request, url }, 'k2')).status).toBe(400);
    });
  });

  it('is nobody else’s', async () => {
    const roomId = await alice.startsDirectWith(bob);
    const { id } = await tells(roomId, 'mine');
    await alice.notifications.connect();
    const before = await list(bob);
    await alice.notifications.does('notification:read', { ids: [id] });
    await alice.notifications.does('notification:archive', { ids: [id] });
    expect(await list(bob)).toEqual(before);
    const unknown = '01980000-0000-7000-8000-000000000000';
    const answer = async (which: string) => {
      const { status, body } = await alice.rest('GET', `/notifications/${which}`);
      const { requestId: _, ...rest } = body as Record<string, unknown>;
      return { status, ...rest, instance: undefined };
    };
    expect(await answer(id)).toEqual(await answer(unknown));
    const { room } = await alice.does('room:create', { type: 'private', name: 'Den' });
    const refusal = async (which: string) => {
      const { requestId: _, ...rest } = await bob.notifications.refused('preference:set', {
        roomId: which,
        level: 'all',
      });
      return rest;
    };
    expect(await refusal(room.id)).toEqual(await refusal('nowhere'));
    expect(await refusal(room.id)).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('follows preferences that are told to all devices', async () => {
    const { preferences } = await bob.notifications.does('preference:get', {});
    expect(preferences).toMatchObject({
      kinds: {
        message: { inApp: true, push: false, email: false },
        direct: { inApp: true, push: true, email: true },
      },
      rooms: [],
    });
    const set = await bob.rest('PUT', '/notification-preferences', {
      kind: 'direct',
      channels: { push: false },
    });
    expect(set.body).toMatchObject({
      preferences: { kinds: { direct: { inApp: true, push: false, email: true } } },
    });
    await phone.notifications.receives('preference:updated', { kinds: { direct: { push: false } } });
    expect((await bob.rest('GET', '/notification-preferences')).body).toEqual(set.body);
    for (const payload of [
      {},
      { level: 'all' },
      { roomId: 'x' },
      { kind: 'direct' },
      { channels: {} },
      { roomId: 'x', level: 'all', quietHours: null },
      { quietHours: { from: '22:00', to: '22:00', timeZone: 'UTC' } },
      { quietHours: { from: '22:00', to: '07:00', timeZone: 'Mars/Olympus' } },
      { roomId: 'x', mutedUntil: '2999-01-01T00:00:00Z' },
      { roomId: 'x', mutedUntil: '2020-01-01T00:00:00Z' },
    ])
      expect(await bob.notifications.refused('preference:set', payload)).toMatchObject({
        code: 'VALIDATION_FAILED',
      });
  });
});

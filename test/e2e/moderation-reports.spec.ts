import type { AuditEntry } from '../../src/contract/admin.js';
import type { Report } from '../../src/contract/moderation.js';
import type { Page } from '../../src/contract/rest.js';
import type { Actor } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';

const report = (by: Actor, messageId: string, reason = 'rude') =>
  by.rest('POST', '/moderation/reports', { messageId, reason });

describe('reports', () => {
  let server: TestServer;
  let root: Actor, alice: Actor, bob: Actor, carol: Actor;
  const roomId = 'club';

  beforeAll(async () => {
    server = await TestServer.start();
    root = await server.administrator();
    [alice, bob, carol] = await server.actors('alice', 'bob', 'carol');
    await alice.does('room:create', { roomId, name: 'Club', type: 'private', memberIds: [bob.id] });
    await bob.receives('room:added', { room: { id: roomId } });
  });
  afterAll(() => server.stop());

  const list = async (by: Actor, query = '') =>
    ((await by.rest('GET', `/moderation/reports?${query}`)).body as Page<Report>).data;

  it('keeps what the message said, and is one per person and message', async () => {
    const { messageId } = await bob.sends(roomId, 'something rude');
    const first = await report(alice, messageId);
    expect(first).toMatchObject({
      status: 201,
      body: {
        messageId,
        roomId,
        senderId: bob.id,
        content: 'something rude',
        reason: 'rude',
        reportedBy: { id: alice.id, name: 'alice' },
        status: 'open',
      },
    });
    await bob.does('message:edit', { messageId, content: 'something nice' });
    const again = await Promise.all([report(alice, messageId, 'very rude'), report(alice, messageId)]);
    for (const { status, body } of again) expect([status, body]).toEqual([201, first.body]);
    expect((await report(bob, messageId)).body).toMatchObject({ content: 'something nice' });
    expect(await list(root, `roomId=${roomId}`)).toHaveLength(2);
  });

  it('a message one cannot see is not found, and says nothing of itself', async () => {
    const { messageId } = await bob.sends(roomId, 'private');
    const { messageId: deleted } = await bob.sends(roomId, 'gone');
    await bob.does('message:delete', { messageId: deleted });
    const absent = '00000000-0000-7000-8000-000000000000';
    const answers = [
      await report(carol, messageId),
      await report(carol, absent),
      await report(alice, absent),
      await report(alice, deleted),
    ];
    for (const { status, body } of answers)
      expect([status, (body as { detail: string }).detail]).toEqual([404, 'There is no such message']);

    // Who came later sees nothing older where the history begins with joining.
    const late = 'late';
    await alice.does('room:create', { roomId: late, name: 'Late', type: 'public', history: 'since_join' });
    const before = await alice.sends(late, 'before');
    await carol.does('room:join', { roomId: late });
    expect(await report(carol, before.messageId)).toMatchObject({ status: 404 });
    const after = await alice.sends(late, 'after');
    expect(await report(carol, after.messageId)).toMatchObject({ status: 201 });
  });

  it('is read and closed by those who moderate the room, and by administrators', async () => {
    const { messageId } = await bob.sends(roomId, 'look at this');
    const { id } = (await report(bob, messageId)).body as Report;
    const { messageId: elsewhere } = await (async () => {
      await carol.does('room:create', { roomId: 'carols', name: 'Hers', type: 'public' });
      return carol.sends('carols', 'hers');
    })();
    const foreign = (await report(carol, elsewhere)).body as Report;

    expect((await list(root)).map((entry) => entry.id)).toEqual(expect.arrayContaining([id, foreign.id]));
    expect((await list(alice, `roomId=${roomId}&status=open`)).map((entry) => entry.id)).toContain(id);
    expect(await alice.rest('GET', '/moderation/reports')).toMatchObject({ status: 403 });
    expect(await bob.rest('GET', `/moderation/reports?roomId=${roomId}`)).toMatchObject({ status: 403 });
    expect(await carol.rest('GET', `/moderation/reports?roomId=${roomId}`)).toMatchObject({ status: 404 });

    const close = (by: Actor, which: string, status = 'resolved') =>
      by.rest('POST', `/moderation/reports/${which}/close`, { status, note: 'warned him' });
    for (const [by, which] of [
      [bob, id],
      [carol, id],
      [alice, foreign.id],
      [root, '00000000-0000-7000-8000-000000000000'],
    ] as const)
      expect(await close(by, which)).toMatchObject({
        status: 404,
        body: { detail: 'There is no such report' },
      });

    const closed = await close(alice, id);
    expect(closed).toMatchObject({
      status: 200,
      body: { status: 'resolved', closed: { by: { id: alice.id, name: 'alice' }, note: 'warned him' } },
    });
    expect((await close(root, id)).body).toEqual(closed.body);
    expect(await close(root, id, 'dismissed')).toMatchObject({ status: 409 });
    expect(await close(root, foreign.id, 'dismissed')).toMatchObject({ status: 200 });
    expect((await list(root, 'status=open')).map((entry) => entry.id)).not.toContain(id);

    const audit = async (target: string) =>
      ((await root.rest('GET', `/audit-log?targetId=${target}`)).body as Page<AuditEntry>).data;
    expect(await audit(id)).toMatchObject([
      { act: 'report.resolve', actor: { id: alice.id }, roomId, reason: 'warned him' },
    ]);
    expect(await audit(foreign.id)).toMatchObject([{ act: 'report.dismiss', actor: { id: root.id } }]);
    // Closed: the next report of the same person is another one.
    expect(((await report(bob, messageId)).body as Report).id).not.toBe(id);
  });

  /** Owners and admins closed the reports of what they had written themselves, and read who had reported it. */
  it('of one’s own message is closed by others, and names nobody who reported it', async () => {
    const { messageId } = await alice.sends(roomId, 'awful');
    const { id } = (await report(bob, messageId, 'awful')).body as Report;
    const close = (by: Actor) => by.rest('POST', `/moderation/reports/${id}/close`, { status: 'dismissed' });
    expect(await close(alice)).toMatchObject({ status: 403 });
    const shown = async (by: Actor) => (await list(by, `roomId=${roomId}`)).find((entry) => entry.id === id);
    expect(await shown(alice)).toMatchObject({ reason: 'awful', status: 'open' });
    expect(await shown(alice)).not.toHaveProperty('reportedBy');
    expect(await shown(root)).toMatchObject({ reportedBy: { id: bob.id } });
    await alice.does('room:role', { roomId, userId: bob.id, role: 'admin' });
    expect(await shown(bob)).toMatchObject({ reportedBy: { id: bob.id } });
    expect(await close(bob)).toMatchObject({ status: 200 });
    await alice.does('room:role', { roomId, userId: bob.id, role: 'member' });
  });

  it('whoever is not in an open room is told so, as by every command about its messages', async () => {
    await alice.does('room:create', { roomId: 'open', name: 'Open', type: 'public' });
    const { messageId } = await alice.sends('open', 'x');
    const { code } = await carol.refused('message:react', { messageId, emoji: '👍', on: true });
    expect((await report(carol, messageId)).body).toMatchObject({ code, status: 403 });
    expect(code).toBe('NOT_A_MEMBER');
  });

  it('comes page by page, newest first', async () => {
    const room = 'many';
    await alice.does('room:create', { roomId: room, name: 'Many', type: 'public' });
    const ids: string[] = [];
    for (let index = 0; index < 60; index++) {
      const { messageId } = await alice.sends(room, `m${String(index)}`);
      ids.unshift(((await report(alice, messageId)).body as Report).id);
    }
    const first = (await root.rest('GET', `/moderation/reports?roomId=${room}`)).body as Page<Report>;
    expect(first).toMatchObject({ hasMore: true });
    const second = (await root.rest('GET', `/moderation/reports?roomId=${room}&cursor=${first.cursor!}`))
      .body as Page<Report>;
    expect(second.hasMore).toBe(false);
    expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(ids);
  });

  it('reaches the administrators who are watching, and nobody else', async () => {
    await root.admin.connect();
    for (const actor of [alice, bob])
      await Promise.all([actor.notifications.connect(), actor.presence.connect()]);
    await alice.presence.does('presence:watch', { userIds: [bob.id] });
    await bob.presence.does('presence:watch', { userIds: [alice.id] });
    const { messageId } = await bob.sends(roomId, 'now');
    const { body } = await report(alice, messageId);
    expect(await root.admin.receives('report:created', { messageId })).toEqual(body);
    // On each of the roads of everybody else something later comes, and no report before it.
    await alice.hasSeenEverythingOf(roomId, bob);
    await bob.hasSeenEverythingOf(roomId, alice);
    const { announcement } = await root.admin.does('announcement:send', {
      title: 'Fence',
      body: 'x',
      reason: 'x',
    });
    await bob.rest('PUT', '/presence', { status: 'online', text: 'fence' });
    await alice.rest('PUT', '/presence', { status: 'online', text: 'fence' });
    for (const [actor, other] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      await actor.notifications.receives('announcement', { id: announcement.id });
      await actor.presence.receives('presence:update', { users: [{ userId: other.id, text: 'fence' }] });
      for (const line of [actor, actor.notifications, actor.presence])
        expect(line.inbox.all('report:created')).toEqual([]);
    }
  });

  it('is throttled', async () => {
    const small = await TestServer.start({ REPORTS_LIMIT: '2' });
    try {
      const [erin] = await small.actors('erin');
      await erin.does('room:create', { roomId: 'own', name: 'Own', type: 'public' });
      const { messageId } = await erin.sends('own', 'x');
      const answers = await Promise.all([1, 2, 3].map(() => report(erin, messageId)));
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 429]);
    } finally {
      await small.stop();
    }
  });
});

import type { AuditEntry } from '../../src/contract/admin.js';
import type { Actor } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';

const because = { reason: 'As the rules say' };
/** How soon an act is in force. */
const IN_FORCE_MS = 1000;

describe('administration', () => {
  let server: TestServer;
  let root: Actor;
  let second: Actor;
  let names = 0;
  beforeAll(async () => {
    server = await TestServer.start();
    root = await server.administrator('root');
    second = await server.administrator('second');
    await root.admin.connect();
    await second.admin.connect();
  });
  afterAll(() => server.stop());

  const newcomer = async () => (await server.actors(`user-${String(++names)}`))[0];
  const entriesOn = async (targetId: string) =>
    (
      (await root.rest('GET', `/audit-log?targetId=${encodeURIComponent(targetId)}`)).body as {
        data: AuditEntry[];
      }
    ).data;
  const acts = async (targetId: string) => (await entriesOn(targetId)).map(({ act }) => act);
  const closed = (actor: Actor, code: string) =>
    actor.inbox.until(
      () =>
        actor.got('session:closing').some((closing) => closing.code === code) &&
        actor.inbox.all('disconnect').length > 0,
      `session:closing ${code} and the end`,
      IN_FORCE_MS,
    );

  it('lets only administrators in: not on /admin, and on no route', async () => {
    const mallory = await newcomer();
    mallory.admin.socket.connect();
    expect(await mallory.admin.inbox.find('connect_error', { message: 'Forbidden' })).toBeDefined();
    const { id } = await newcomer();
    const message = await aMessage(mallory);
    const routes: [string, string, object?][] = [
      ['GET', '/admin/stats'],
      ['GET', '/admin/connections'],
      ['GET', '/admin/users'],
      ['POST', '/admin/announcements', { ...because, title: 'x', body: 'y' }],
      ['GET', '/admin/jobs'],
      ['GET', '/admin/outbox'],
      ['POST', '/admin/jobs/01890000-0000-7000-8000-000000000000/retry', because],
      ['POST', '/admin/outbox/1/retry', because],
      ['POST', `/admin/users/${id}/disconnect`, because],
      ['POST', `/admin/users/${id}/suspend`, because],
      ['POST', `/admin/users/${id}/resume`, because],
      ['PUT', `/admin/users/${mallory.id}/role`, { ...because, role: 'admin' }],
      ['PUT', `/admin/rooms/${message.roomId}/freeze`, because],
      ['DELETE', `/admin/rooms/${message.roomId}/freeze?reason=x`],
      ['DELETE', `/admin/messages/${message.messageId}?reason=x`],
    ];
    for (const [method, path, body] of routes)
      expect([path, await mallory.rest(method, path, body)]).toMatchObject([
        path,
        { status: 403, body: { code: 'FORBIDDEN' } },
      ]);
    for (const target of [id, mallory.id, message.roomId, message.messageId])
      expect(await entriesOn(target)).toEqual([]);
  });

  it('no act without a reason', async () => {
    const victim = await newcomer();
    const message = await aMessage(victim);
    const onUser = { userId: victim.id };
    const unreasoned: [string, object][] = [
      ['user:disconnect', onUser],
      ['user:suspend', onUser],
      ['user:resume', onUser],
      ['user:role', { ...onUser, role: 'admin' }],
      ['room:freeze', { roomId: message.roomId }],
      ['room:unfreeze', { roomId: message.roomId }],
      ['message:delete', { messageId: message.messageId }],
      ['announcement:send', { title: 'x', body: 'y' }],
    ];
    for (const [command, payload] of unreasoned)
      for (const reason of [{}, { reason: '' }, { reason: '  \n ' }, { reason: 'x'.repeat(501) }])
        expect([command, await root.admin.refused(command, { ...payload, ...reason })]).toMatchObject([
          command,
          { code: 'VALIDATION_FAILED', details: [{ path: 'reason' }] },
        ]);
    for (const path of [`/admin/users/${victim.id}/suspend`, `/admin/users/${victim.id}/disconnect`])
      expect(await root.rest('POST', path, {})).toMatchObject({
        status: 400,
        body: { details: [{ path: 'reason' }] },
      });
    expect(await root.rest('DELETE', `/admin/messages/${message.messageId}`)).toMatchObject({
      status: 400,
      body: { details: [{ path: 'reason' }] },
    });
    expect(await entriesOn(victim.id)).toEqual([]);
  });

  it('nobody is acted on who is not there', async () => {
    const missing = '01890000-0000-7000-8000-000000000000';
    for (const command of ['user:disconnect', 'user:suspend', 'user:resume'])
      expect(await root.admin.refused(command, { ...because, userId: missing })).toMatchObject({
        code: 'NOT_FOUND',
      });
    expect(
      await root.admin.refused('user:role', { ...because, userId: missing, role: 'user' }),
    ).toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await root.admin.refused('room:freeze', { ...because, roomId: 'nowhere' })).toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await root.admin.refused('message:delete', { ...because, messageId: missing })).toMatchObject({
      code: 'NOT_FOUND',
    });
    for (const path of [`/admin/jobs/${missing}/retry`, '/admin/outbox/999999/retry'])
      expect(await root.rest('POST', path, because)).toMatchObject({ status: 404 });
    expect(await entriesOn(missing)).toEqual([]);
  });

  it('suspends an account within a second, everywhere, and resumes it', async () => {
    const victim = await newcomer();
    const phone = await server.connected(victim.session);
    await root.admin.does('user:suspend', { ...because, userId: victim.id });
    await Promise.all([closed(victim, 'SUSPENDED'), closed(phone, 'SUSPENDED')]);

    expect(await victim.rest('GET', '/users/me')).toMatchObject({ status: 403, body: { code: 'SUSPENDED' } });
    expect(await signIn(victim)).toMatchObject({ status: 403, body: { code: 'SUSPENDED' } });
    expect(await refresh(victim)).toMatchObject({ status: 403, body: { code: 'SUSPENDED' } });
    const again = server.actor(victim.session);
    again.socket.connect();
    expect(await again.inbox.find('connect_error', { message: 'Forbidden' })).toMatchObject({
      data: { code: 'SUSPENDED' },
    });
    const listed = async (suspended: boolean) =>
      (await root.rest('GET', `/admin/users?suspended=${String(suspended)}&query=${victim.user.username}`))
        .body;
    expect(await listed(true)).toMatchObject({
      data: [{ id: victim.id, role: 'user', suspendedAt: expect.any(String) as unknown }],
    });
    expect(await listed(false)).toEqual({ data: [], hasMore: false });

    // Done already: nothing changes, and nothing is audited again.
    await root.admin.does('user:suspend', { ...because, userId: victim.id });
    expect(await acts(victim.id)).toEqual(['user.suspend']);

    await root.admin.does('user:resume', { ...because, userId: victim.id });
    await root.admin.does('user:resume', { ...because, userId: victim.id });
    expect(await victim.rest('GET', '/users/me')).toMatchObject({ status: 200 });
    expect(await signIn(victim)).toMatchObject({ status: 200 });
    expect(await refresh(victim)).toMatchObject({ status: 200 });
    await server.connected(victim.session);
    expect(await acts(victim.id)).toEqual(['user.resume', 'user.suspend']);
  });

  it('a handshake under way while the account is suspended does not slip in', async () => {
    const victim = await newcomer();
    victim.disconnect();
    for (let attempt = 0; attempt < 100; attempt++) {
      const racing = server.actor(victim.session);
      racing.socket.connect();
      // From nearly before the handshake to nearly after it.
      for (let turn = 0; turn < attempt; turn++) await new Promise(setImmediate);
      await root.admin.does('user:suspend', { ...because, userId: victim.id });
      await racing.inbox.until(
        () => racing.inbox.all('connect_error').length + racing.inbox.all('disconnect').length > 0,
        `attempt ${String(attempt)} to be refused or closed`,
        IN_FORCE_MS,
      );
      expect(racing.socket.connected).toBe(false);
      await root.admin.does('user:resume', { ...because, userId: victim.id });
    }
  });

  it('nobody suspends themselves, and the last administrator stays one', async () => {
    const alone = await TestServer.start();
    try {
      const only = await alone.administrator();
      await only.admin.connect();
      const [fay] = await alone.actors('fay');
      const on = (actor: Actor) => ({ ...because, userId: actor.id });
      expect(await only.admin.refused('user:suspend', on(only))).toMatchObject({ code: 'CONFLICT' });
      expect(await only.admin.refused('user:role', { ...on(only), role: 'user' })).toMatchObject({
        code: 'CONFLICT',
      });
      // An administrator who is suspended does not count.
      await only.admin.does('user:role', { ...on(fay), role: 'admin' });
      await only.admin.does('user:suspend', on(fay));
      expect(await only.admin.refused('user:role', { ...on(only), role: 'user' })).toMatchObject({
        code: 'CONFLICT',
      });
      await only.admin.does('user:resume', on(fay));
      const giveUp = { ...because, role: 'user' };
      expect(await only.rest('PUT', `/admin/users/${only.id}/role`, giveUp)).toMatchObject({ status: 204 });
      expect(await only.rest('GET', '/admin/stats')).toMatchObject({ status: 403 });
    } finally {
      await alone.stop();
    }
  });

  it('two administrators who suspend each other at once do not both succeed', async () => {
    const alone = await TestServer.start();
    try {
      const [one, two] = [await alone.administrator('one'), await alone.administrator('two')];
      await Promise.all([one.admin.connect(), two.admin.connect()]);
      const answers = await Promise.all([
        one.rest('POST', `/admin/users/${two.id}/suspend`, because),
        two.rest('POST', `/admin/users/${one.id}/suspend`, because),
      ]);
      const statuses = answers.map(({ status }) => status).sort();
      expect(statuses[0]).toBe(204);
      // Too late in the transaction, or already at the door.
      expect([403, 409]).toContain(statuses[1]);
    } finally {
      await alone.stop();
    }
  });

  it('who loses the role loses /admin within a second, keeps the chat, and is a user on open sockets', async () => {
    const deputy = await server.administrator(`deputy-${String(++names)}`);
    await deputy.admin.connect();
    await root.admin.does('user:role', { ...because, userId: deputy.id, role: 'user' });
    await deputy.admin.inbox.until(
      () => deputy.admin.inbox.all('disconnect').length > 0,
      'the end of /admin',
      IN_FORCE_MS,
    );
    expect(deputy.admin.got('session:closing')).toMatchObject([{ code: 'ROLE_CHANGED', reconnect: false }]);
    expect(await deputy.rest('GET', '/admin/stats')).toMatchObject({ status: 403 });
    await deputy.does('room:list', {});
    expect(deputy.got('session:closing')).toEqual([]);
    deputy.admin.socket.connect();
    await deputy.admin.inbox.find('connect_error', { message: 'Forbidden' });

    await root.admin.does('user:role', { ...because, userId: deputy.id, role: 'admin' });
    await root.admin.does('user:role', { ...because, userId: deputy.id, role: 'admin' });
    await deputy.admin.connect();
    expect((await entriesOn(deputy.id)).map(({ before, after }) => ({ before, after }))).toEqual([
      { before: { role: 'user' }, after: { role: 'admin' } },
      { before: { role: 'admin' }, after: { role: 'user' } },
    ]);
  });

  it('disconnects somebody everywhere; they may sign in again', async () => {
    const victim = await newcomer();
    const phone = await server.connected(await server.login(victim.user.username));
    await root.admin.does('user:disconnect', { ...because, userId: victim.id });
    await Promise.all([closed(victim, 'SESSION_REVOKED'), closed(phone, 'SESSION_REVOKED')]);
    expect(await victim.rest('GET', '/users/me')).toMatchObject({
      status: 401,
      body: { code: 'SESSION_REVOKED' },
    });
    expect(await refresh(victim)).toMatchObject({ status: 401 });
    await server.connected(await server.login(victim.user.username));
    expect(await acts(victim.id)).toEqual(['user.disconnect']);
  });

  it('freezes a room and opens it again', async () => {
    const alice = await newcomer();
    const { roomId } = await aMessage(alice);
    await root.admin.does('room:freeze', { ...because, roomId });
    await root.admin.does('room:freeze', { ...because, roomId });
    expect(await alice.refused('message:send', { roomId, content: 'x' })).toMatchObject({
      code: 'ROOM_FROZEN',
    });
    await root.admin.does('room:unfreeze', { ...because, roomId });
    await root.admin.does('room:unfreeze', { ...because, roomId });
    await alice.sends(roomId, 'at last');
    expect(await entriesOn(roomId)).toMatchObject([
      { act: 'room.unfreeze', roomId, after: { frozenAt: null } },
      { act: 'room.freeze', roomId, before: { frozenAt: null } },
    ]);
  });

  it('deletes any message, in frozen and private rooms too, and leaves a tombstone', async () => {
    const alice = await newcomer();
    const { roomId, messageId } = await aMessage(alice, 'private');
    await root.admin.does('room:freeze', { ...because, roomId });
    await root.admin.does('message:delete', { reason: 'A threat', messageId });
    expect(await alice.receives('message:deleted', { id: messageId })).toMatchObject({ content: '', rev: 2 });
    await root.admin.does('message:delete', { reason: 'A threat', messageId });
    const entries = await entriesOn(messageId);
    expect(entries).toMatchObject([
      {
        act: 'message.delete',
        actor: { id: root.id },
        target: { type: 'message', id: messageId },
        roomId,
        reason: 'A threat',
        before: { senderId: alice.id, seq: 1 },
      },
    ]);
    expect(JSON.stringify(entries)).not.toContain('something said');
    // The flag is the administration's: in the chat an administrator is a stranger.
    const other = await alice.sends(await aRoom(alice, 'private'), 'mine');
    expect(await root.refused('message:delete', { messageId: other.messageId })).toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('an administrative deletion among many changes of one batch is audited once, under its own request', async () => {
    const alice = await newcomer();
    const roomId = await aRoom(alice, 'public');
    const sent = await Promise.all(Array.from({ length: 20 }, () => alice.sends(roomId, 'spam')));
    const [answers] = await Promise.all([
      Promise.all(
        sent.map(({ messageId }) => root.rest('DELETE', `/admin/messages/${messageId}?reason=spam`)),
      ),
      Promise.all(Array.from({ length: 20 }, () => alice.sends(roomId, 'more'))),
    ]);
    for (const [index, { messageId }] of sent.entries())
      expect(await entriesOn(messageId)).toMatchObject([
        { act: 'message.delete', requestId: answers[index]?.headers.get('x-request-id') },
      ]);
  });

  it('each act leaves one entry, with actor, reason and request, told to the other administrators', async () => {
    const victim = await newcomer();
    const { roomId, messageId } = await aMessage(victim);
    const routes: [act: string, target: string, method: string, path: string, body?: object][] = [
      ['user.role', victim.id, 'PUT', `/admin/users/${victim.id}/role`, { role: 'admin' }],
      ['user.suspend', victim.id, 'POST', `/admin/users/${victim.id}/suspend`, {}],
      ['user.resume', victim.id, 'POST', `/admin/users/${victim.id}/resume`, {}],
      ['user.disconnect', victim.id, 'POST', `/admin/users/${victim.id}/disconnect`, {}],
      ['room.freeze', roomId, 'PUT', `/admin/rooms/${roomId}/freeze`, {}],
      ['room.unfreeze', roomId, 'DELETE', `/admin/rooms/${roomId}/freeze`],
      ['message.delete', messageId, 'DELETE', `/admin/messages/${messageId}`],
    ];
    for (const [act, target, method, path, body] of routes) {
      const reason = `Because of ${act}`;
      const answer = body
        ? await root.rest(method, path, { ...body, reason })
        : await root.rest(method, `${path}?reason=${encodeURIComponent(reason)}`);
      expect([path, answer.status]).toEqual([path, 204]);
      const told = await second.admin.receives('audit:appended', { act, target: { id: target } });
      expect(told).toMatchObject({
        actor: { id: root.id, name: 'root' },
        reason,
        requestId: answer.headers.get('x-request-id'),
      });
      expect((await entriesOn(target)).filter((entry) => entry.act === act)).toEqual([told]);
      expect(JSON.stringify(told)).not.toMatch(/password|token|hash/i);
    }
  });

  it('announces to everybody who is connected to /notifications', async () => {
    const alice = await newcomer();
    await alice.notifications.connect();
    const words = { title: 'Maintenance', body: 'Tonight\nat ten' };
    const { announcement } = await root.admin.does('announcement:send', { ...because, ...words });
    expect(await alice.notifications.receives('announcement', { id: announcement.id })).toMatchObject(words);
    const { status, body } = await root.rest('POST', '/admin/announcements', { ...because, ...words });
    expect(status).toBe(201);
    const { id } = (body as { announcement: { id: string } }).announcement;
    await alice.notifications.receives('announcement', { id });
    for (const target of [announcement.id, id])
      expect(await entriesOn(target)).toMatchObject([{ act: 'announcement.send', reason: because.reason }]);
  });

  it('lists accounts by page', async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const more: string = cursor === undefined ? '' : `&cursor=${cursor}`;
      const { body } = await root.rest('GET', `/admin/users?limit=3${more}`);
      const page = body as { data: { username: string; role: string }[]; cursor?: string; hasMore: boolean };
      expect(page.hasMore).toBe(page.cursor !== undefined);
      seen.push(...page.data.map(({ username }) => username));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(['root', 'second', 'user-1']));
  });

  async function aRoom(owner: Actor, type: 'public' | 'private'): Promise<string> {
    return (await owner.does('room:create', { name: 'Somewhere', type })).room.id;
  }

  async function aMessage(author: Actor, type: 'public' | 'private' = 'public') {
    const roomId = await aRoom(author, type);
    return { roomId, ...(await author.sends(roomId, 'something said')) };
  }

  const signIn = ({ user }: Actor) =>
    server.post('/auth/login', { username: user.username, password: 'correct horse battery' });
  const refresh = ({ session }: Actor) =>
    server.post('/auth/refresh', { refreshToken: session.refreshToken });
});

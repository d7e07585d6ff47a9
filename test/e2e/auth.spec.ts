import { SocketAuthenticator } from '../../src/platform/realtime/socket-authenticator.js';
import { Administrator } from '../../src/auth/administrator.service.js';
import type { AuthSession, Page } from '../../src/contract/rest.js';
import type { User } from '../../src/contract/views.js';
import type { Actor, Answer } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';
import { foreignSession, SHARED_SECRET, signToken, unsignedToken } from '../harness/tokens.js';
import { Visitor } from '../harness/visitor.js';

const PASSWORD = 'correct horse battery';
const CLOSED = { code: 'SESSION_REVOKED', reconnect: false };

function expectProblem({ status, headers, body }: Answer, expectedStatus: number, code: string): void {
  expect(body).toMatchObject({ status: expectedStatus, code, requestId: expect.any(String) as string });
  expect(status).toBe(expectedStatus);
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
}

/** The server said why, and then cut the connection itself. */
async function expectClosed(actor: Actor): Promise<void> {
  await actor.receives('session:closing', CLOSED);
  await actor.inbox.until(() => actor.inbox.all('disconnect').length > 0, 'the end of the connection');
  expect(actor.socket.connected).toBe(false);
}

async function expectOpen(actor: Actor): Promise<void> {
  await actor.does('room:list', {});
  expect(actor.got('session:closing')).toEqual([]);
}

describe('local accounts', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start();
  });
  afterAll(() => server.stop());

  const refresh = (refreshToken: string) => server.post('/auth/refresh', { refreshToken });
  const me = (session: AuthSession) => server.actor(session).rest('GET', '/users/me');

  it('registers, signs in and shows who one is', async () => {
    const registered = await server.post('/auth/register', {
      username: 'Ada',
      password: PASSWORD,
      name: 'Ada L.',
    });
    expect(registered.status).toBe(201);
    const session = registered.body as AuthSession;
    expect(session.user).toEqual({
      id: expect.any(String) as string,
      username: 'Ada',
      name: 'Ada L.',
      role: 'user',
    });
    expect(Date.parse(session.expiresAt)).toBeGreaterThan(Date.now() + 14 * 60_000);

    const login = await server.post('/auth/login', { username: 'ada', password: PASSWORD });
    expect(login.status).toBe(200);
    const again = login.body as AuthSession;
    expect(again.user).toEqual(session.user);
    expect(again.refreshToken).not.toBe(session.refreshToken);

    expect((await me(again)).body).toEqual(session.user);
    const renamed = await server.actor(again).rest('PATCH', '/users/me', { name: 'Countess' });
    expect(renamed).toMatchObject({ status: 200, body: { name: 'Countess' } });
    expect((await me(session)).body).toMatchObject({ name: 'Countess' });
  });

  it('takes the username when no name is given', async () => {
    const { body } = await server.post('/auth/register', { username: 'plain', password: PASSWORD });
    expect(body).toMatchObject({ user: { username: 'plain', name: 'plain' } });
  });

  it('tells a wrong password and an unknown name alike', async () => {
    await server.register('grace');
    const wrong = await server.post('/auth/login', { username: 'grace', password: 'not the password' });
    const unknown = await server.post('/auth/login', { username: 'nobody', password: 'not the password' });
    expectProblem(wrong, 401, 'UNAUTHENTICATED');
    const { requestId: _one, ...said } = wrong.body as Record<string, unknown>;
    expect(unknown.body).toMatchObject(said);
  });

  it('refuses a name that is taken, whatever its case, and every problem of an input at once', async () => {
    await server.register('linus');
    const taken = await server.post('/auth/register', { username: 'LINUS', password: PASSWORD });
    expectProblem(taken, 409, 'CONFLICT');

    const bad = await server.post('/auth/register', { username: 'x y', password: 'short', role: 'admin' });
    expectProblem(bad, 400, 'VALIDATION_FAILED');
    const { details } = bad.body as { details: { path: string }[] };
    expect(details.map(({ path }) => path).sort()).toEqual(['password', 'role', 'username']);
  });

  it('two who want the same name at once do not both get it', async () => {
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => server.post('/auth/register', { username: 'once', password: PASSWORD })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
  });

  it('rotates refresh tokens', async () => {
    const first = await server.register('rota');
    const { status, body } = await refresh(first.refreshToken);
    expect(status).toBe(200);
    const second = body as AuthSession;
    expect(second.user).toEqual(first.user);
    expect(second.refreshToken).not.toBe(first.refreshToken);
    expect((await me(second)).status).toBe(200);
    expect((await refresh(second.refreshToken)).status).toBe(200);
  });

  it('gives two tabs that refresh at once the same successor', async () => {
    const { refreshToken } = await server.register('tabs');
    const [one, two, three] = await Promise.all([
      refresh(refreshToken),
      refresh(refreshToken),
      refresh(refreshToken),
    ]);
    expect([one.status, two.status, three.status]).toEqual([200, 200, 200]);
    const successor = (one.body as AuthSession).refreshToken;
    expect((two.body as AuthSession).refreshToken).toBe(successor);
    expect((three.body as AuthSession).refreshToken).toBe(successor);
    expect((await refresh(successor)).status).toBe(200);
  });

  it('ends the whole session when an old refresh token comes again, and closes its sockets', async () => {
    const stolen = await server.register('victim');
    const other = await server.connected(await server.login('victim'));
    const [tab, phone] = await Promise.all([server.connected(stolen), server.connected(stolen)]);
    const second = (await refresh(stolen.refreshToken)).body as AuthSession;
    const third = (await refresh(second.refreshToken)).body as AuthSession;

    expectProblem(await refresh(stolen.refreshToken), 401, 'SESSION_REVOKED');
    await Promise.all([expectClosed(tab), expectClosed(phone)]);
    expectProblem(await refresh(third.refreshToken), 401, 'SESSION_REVOKED');
    expectProblem(await me(third), 401, 'SESSION_REVOKED');
    await expectOpen(other);
  });

  it('refuses refresh tokens it did not write', async () => {
    const { refreshToken } = await server.register('forger');
    const forged = refreshToken.replace(/\.1\./, '.2.');
    for (const token of [forged, `${refreshToken}x`, 'x', unsignedToken({ sub: 'forger' })])
      expectProblem(await refresh(token), 401, 'UNAUTHENTICATED');
    expect((await refresh(refreshToken)).status).toBe(200);
  });

  it('logs out of one session: its sockets close, its tokens are dead, the others live', async () => {
    const here = await server.register('mobile');
    const there = await server.login('mobile');
    const [laptop, tablet] = await Promise.all([server.connected(here), server.connected(there)]);

    const { status, body } = await laptop.rest('POST', '/auth/logout');
    expect([status, body]).toEqual([204, undefined]);
    await expectClosed(laptop);
    expectProblem(await me(here), 401, 'SESSION_REVOKED');
    expectProblem(await refresh(here.refreshToken), 401, 'SESSION_REVOKED');
    const refused = await new Visitor(server.url, { auth: { token: here.accessToken } }).refusal();
    expect(refused).toMatchObject({
      message: 'Forbidden',
      data: { code: 'SESSION_REVOKED', retryable: false },
    });

    await expectOpen(tablet);
    expect((await refresh(there.refreshToken)).status).toBe(200);
  });

  it('logs out everywhere', async () => {
    const sessions = [await server.register('everywhere'), await server.login('everywhere')];
    const devices = await Promise.all(sessions.map((session) => server.connected(session)));
    const bystander = await server.connected(await server.register('bystander'));

    expect((await devices[0]!.rest('POST', '/auth/logout-all')).status).toBe(204);
    await Promise.all(devices.map(expectClosed));
    for (const session of sessions) expectProblem(await me(session), 401, 'SESSION_REVOKED');
    await expectOpen(bystander);
    // Signing in again works at once.
    await expectOpen(await server.connected(await server.login('everywhere')));
  });

  // The session was ended after the handshake had read it and before the socket was registered: nobody closed it.
  it.each(['/auth/logout', '/auth/logout-all'])(
    'a socket that opens while its session ends is closed (%s)',
    async (path) => {
      const session = await server.register(path === '/auth/logout' ? 'racer' : 'racer-all');
      const device = server.actor(session);
      const authenticator = server.app.get(SocketAuthenticator, { strict: false });
      const authenticate = authenticator.authenticate.bind(authenticator);
      const spy = jest.spyOn(authenticator, 'authenticate').mockImplementationOnce(async (token) => {
        const actor = await authenticate(token);
        expect((await device.rest('POST', path)).status).toBe(204);
        return actor;
      });
      device.socket.connect();
      await expectClosed(device);
      spy.mockRestore();
    },
  );

  it('asks for a token everywhere but at the door', async () => {
    const anonymous = await server
      .actor({ accessToken: 'x' } as AuthSession)
      .rest('GET', '/users/me', undefined, { authorization: '' });
    expectProblem(anonymous, 401, 'UNAUTHENTICATED');
    expect(anonymous.headers.get('www-authenticate')).toBe('Bearer');
    const inQuery = await fetch(
      `${server.url}/api/v1/users/me?token=${(await server.register('query')).accessToken}`,
    );
    expect(inQuery.status).toBe(401);
  });

  it('finds people by the start of a name, a page at a time, without what is private', async () => {
    for (const name of ['zoe_c', 'zoe_a', 'zoe_b', 'zoex']) await server.register(name);
    const seeker = server.actor(await server.register('seeker'));
    const page = async (query: string) => (await seeker.rest('GET', `/users?${query}`)).body as Page<User>;

    const first = await page('query=ZOE_&limit=2');
    expect(first).toMatchObject({ data: [{ username: 'zoe_a' }, { username: 'zoe_b' }], hasMore: true });
    const second = await page(`query=ZOE_&limit=2&cursor=${first.cursor!}`);
    expect(second).toEqual({ data: [expect.objectContaining({ username: 'zoe_c' })], hasMore: false });
    expect(Object.keys(second.data[0]!).sort()).toEqual(['id', 'name', 'username']);
    expect((await page('query=nobody-at-all')).data).toEqual([]);

    for (const query of ['limit=0', 'limit=101', 'cursor=%00', 'cursor=***', 'unknown=1', 'query=a&query=b'])
      expectProblem(await seeker.rest('GET', `/users?${query}`), 400, 'VALIDATION_FAILED');
  });

  it('shows no password and no hash in any answer', async () => {
    const answers: unknown[] = [];
    const password = 'a password to look for';
    const kept = async (answer: Promise<Answer>): Promise<Answer> => {
      answers.push((await answer).body);
      return answer;
    };
    const { body } = await kept(server.post('/auth/register', { username: 'private', password }));
    await kept(server.post('/auth/register', { username: 'private', password }));
    await kept(server.post('/auth/register', { username: '', password }));
    await kept(server.post('/auth/login', { username: 'private', password: `${password}!` }));
    const session = (await kept(server.post('/auth/login', { username: 'private', password })))
      .body as AuthSession;
    await kept(refresh((body as AuthSession).refreshToken));
    const actor = server.actor(session);
    for (const path of ['/users/me', '/users?query=private', '/rooms']) await kept(actor.rest('GET', path));
    await kept(actor.rest('PATCH', '/users/me', { name: 'Private' }));

    const said = JSON.stringify(answers);
    expect(said).not.toContain(password);
    expect(said).not.toMatch(/argon2|passwordHash|password_hash/i);
  });
});

describe('registration off', () => {
  it('refuses new accounts and keeps the old ones', async () => {
    const server = await TestServer.start({
      REGISTRATION: 'off',
      ADMIN_USERNAME: 'root',
      ADMIN_PASSWORD: PASSWORD,
    });
    try {
      expectProblem(
        await server.post('/auth/register', { username: 'late', password: PASSWORD }),
        403,
        'FORBIDDEN',
      );
      expect((await server.login('root')).user).toMatchObject({ username: 'root', role: 'admin' });
    } finally {
      await server.stop();
    }
  });
});

describe('users of another issuer (AUTH_PROVISIONING=jit)', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start({ AUTH_PROVISIONING: 'jit', JWT_SECRET: SHARED_SECRET });
  });
  afterAll(() => server.stop());

  const me = async (token: string) =>
    (await server.actor({ accessToken: token } as AuthSession).rest('GET', '/users/me')).body as User;

  it('become users at first sight, over REST or sockets, and follow their tokens', async () => {
    const claims = {
      sub: 'crm|17',
      name: 'Mona',
      preferred_username: 'mona',
      picture: 'https://example.com/m.png',
    };
    expect(await me(signToken(claims))).toEqual({
      id: 'crm|17',
      username: 'mona',
      name: 'Mona',
      avatarUrl: 'https://example.com/m.png',
      role: 'user',
    });
    expect(await me(signToken({ ...claims, name: 'Mona M.', role: 'admin' }))).toMatchObject({
      name: 'Mona M.',
      role: 'admin',
    });

    const nils = await server.connected(foreignSession('nils'));
    await nils.receives('session:ready', { userId: 'nils' });
    await nils.does('room:join', { roomId: 'lobby', roomName: 'Lobby' });
    await nils.hasSeenEverythingOf('lobby', nils);
  });

  const roleOf = async (sub: string, more: object = {}) => (await me(signToken({ sub, ...more }))).role;
  const setRole = (root: Actor, id: string, role: string) =>
    root.rest('PUT', `/admin/users/${id}/role`, { role, reason: 'As the rules say' });

  /** Demoting a user whose tokens say `admin` was undone by the very same token, and left nothing in the audit log. */
  it('have the role that their issuer says, in the audit log too, and no administrator says another', async () => {
    const root = await server.administrator();
    expect(await roleOf('told', { role: 'user' })).toBe('user');
    await Promise.all([1, 2, 3].map(() => roleOf('told', { role: 'admin' })));
    expectProblem(await setRole(root, 'told', 'user'), 409, 'CONFLICT');
    expect(await roleOf('told', { role: 'admin' })).toBe('admin');
    expect((await root.rest('GET', '/audit-log?targetId=told')).body).toMatchObject({
      data: [{ act: 'user.role', actor: null, before: { role: 'user' }, after: { role: 'admin' } }],
    });
    // Where the issuer says nothing of roles, or no longer, they are ours to say.
    expect(await roleOf('told')).toBe('admin');
    for (const id of ['told', 'untold']) {
      await roleOf(id);
      expect((await setRole(root, id, 'admin')).status).toBe(204);
      expect((await setRole(root, id, 'user')).status).toBe(204);
      expect(await roleOf(id)).toBe('user');
    }
  });

  it('two first tokens at once make one user', async () => {
    const sessions = [1, 2, 3, 4].map(() => foreignSession('twin'));
    const devices = await Promise.all(sessions.map((session) => server.connected(session)));
    for (const device of devices) await device.receives('session:ready', { userId: 'twin' });
  });

  it('never take over the name or the account of somebody else', async () => {
    const local = await server.register('owner');
    const guest = await me(signToken({ sub: 'guest', preferred_username: 'owner' }));
    expect(guest.id).toBe('guest');
    expect(guest.username).not.toBe('owner');
    // A token about a local account tells nothing new of it.
    expect(await me(signToken({ sub: local.user.id, name: 'Renamed', role: 'admin' }))).toEqual(local.user);
  });

  it('lose their tokens and sockets with logout-all; tokens issued later work', async () => {
    const before = foreignSession('wanderer', { iat: Math.floor(Date.now() / 1000) - 10 });
    const device = await server.connected(before);
    expect((await device.rest('POST', '/auth/logout-all')).status).toBe(204);
    await expectClosed(device);
    expectProblem(await device.rest('GET', '/users/me'), 401, 'SESSION_REVOKED');
    await expectOpen(await server.connected(foreignSession('wanderer')));
  });
});

describe('the link that makes the first administrator', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start();
  });
  afterAll(() => server.stop());

  const submit = (fields: Record<string, string>) =>
    fetch(`${server.url}/setup`, { method: 'POST', body: new URLSearchParams(fields) });

  it('shows a form, takes it once, and is dead then', async () => {
    const link = (await server.app.get(Administrator, { strict: false }).setupLink())!;
    const token = new URL(link, server.url).searchParams.get('token')!;

    const form = await fetch(`${server.url}${link}`);
    expect([form.status, form.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(form.headers.get('content-type')).toMatch(/^text\/html/);
    expect(await form.text()).toContain('<form method="post" action="/setup">');

    const short = await submit({ token, username: '"><b>', password: 'short' });
    expect(short.status).toBe(400);
    const shown = await short.text();
    expect(shown).toContain('role="alert"');
    expect(shown).not.toContain('<b>');
    expect((await submit({ token: `${token}x`, username: 'mallory', password: PASSWORD })).status).toBe(404);

    const rivals = ['chief', 'rival'].map((username) => submit({ token, username, password: PASSWORD }));
    const answers = await Promise.all(rivals);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 404]);
    const winner = answers[0]!.status === 201 ? 'chief' : 'rival';
    expect((await server.login(winner)).user.role).toBe('admin');

    expect((await fetch(`${server.url}${link}`)).status).toBe(404);
    expect((await submit({ token, username: 'second', password: PASSWORD })).status).toBe(404);
    expect(await server.app.get(Administrator, { strict: false }).setupLink()).toBeUndefined();
  });

  /** An issuer took the role from the only administrator, and the link, which stands in every log, worked again. */
  it('stays dead when nobody is an administrator any more', async () => {
    const jit = await TestServer.start({ AUTH_PROVISIONING: 'jit', JWT_SECRET: SHARED_SECRET });
    try {
      const administrator = jit.app.get(Administrator, { strict: false });
      const link = (await administrator.setupLink())!;
      for (const role of ['admin', 'user'])
        expect(await jit.actor(foreignSession('chief', { role })).rest('GET', '/users/me')).toMatchObject({
          body: { role },
        });
      expect(await administrator.setupLink()).toBeUndefined();
      expect((await fetch(`${jit.url}${link}`)).status).toBe(404);
      const token = new URL(link, jit.url).searchParams.get('token')!;
      const form = new URLSearchParams({ token, username: 'mallory', password: PASSWORD });
      expect((await fetch(`${jit.url}/setup`, { method: 'POST', body: form })).status).toBe(404);
      // The command line still makes one.
      await jit.administrator();
    } finally {
      await jit.stop();
    }
  });

  it('is of no use without its token', async () => {
    for (const path of ['/setup', '/setup?token=', '/setup?token=x', '/setup?token=a&token=b'])
      expect((await fetch(`${server.url}${path}`)).status).toBe(404);
  });
});

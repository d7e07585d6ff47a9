import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { AuthSession } from '../../src/contract/rest.js';
import { SocketAuthenticator } from '../../src/platform/realtime/socket-authenticator.js';
import type { Actor } from '../harness/actor.js';
import { RawClient } from '../harness/raw-client.js';
import { RawSocket } from '../harness/raw-socket.js';
import { TestServer } from '../harness/server.js';
import { foreignSession, inSeconds, SHARED_SECRET, signToken, unsignedToken } from '../harness/tokens.js';
import { Visitor } from '../harness/visitor.js';

const JIT = { AUTH_PROVISIONING: 'jit', JWT_SECRET: SHARED_SECRET };

type VisitorOptions = ConstructorParameters<typeof Visitor>[1];

async function isCutOff(actor: Actor): Promise<void> {
  await actor.inbox.until(() => actor.inbox.all('disconnect').length > 0, 'the end of the connection');
}

describe('the handshake', () => {
  let server: TestServer;
  let alice: AuthSession;
  const visitors: { leave(): void }[] = [];
  beforeAll(async () => {
    server = await TestServer.start({ JWT_SECRET: SHARED_SECRET, CORS_ORIGINS: 'https://app.example.com' });
    alice = await server.register('alice');
  });
  afterEach(() => {
    for (const one of visitors.splice(0)) one.leave();
  });
  afterAll(() => server.stop());

  const visit = (options: VisitorOptions) => {
    const visitor = new Visitor(server.url, options);
    visitors.push(visitor);
    return visitor;
  };
  const refusal = (token?: unknown) => visit({ auth: { token } }).refusal();
  const claims = (more: Record<string, unknown> = {}) => ({ sub: alice.user.id, ...more });

  describe('refuses', () => {
    it.each<[string, string, string, boolean, () => unknown]>([
      ['no token', 'Authentication required', 'UNAUTHENTICATED', false, () => undefined],
      ['an empty token', 'Authentication required', 'UNAUTHENTICATED', false, () => ''],
      ['what is not a token', 'Invalid token', 'UNAUTHENTICATED', false, () => 'not-a-token'],
      ['a token too long to be one', 'Invalid token', 'UNAUTHENTICATED', false, () => 'x'.repeat(20_000)],
      [
        'a token without signature (alg none)',
        'Invalid token',
        'UNAUTHENTICATED',
        false,
        () => unsignedToken(claims()),
      ],
      ['another key', 'Invalid token', 'UNAUTHENTICATED', false, () => signToken(claims(), 'x'.repeat(40))],
      [
        'another issuer',
        'Invalid token',
        'UNAUTHENTICATED',
        false,
        () => signToken(claims({ iss: 'elsewhere' })),
      ],
      [
        'another audience',
        'Invalid token',
        'UNAUTHENTICATED',
        false,
        () => signToken(claims({ aud: 'others' })),
      ],
      [
        'a token that never expires',
        'Invalid token',
        'UNAUTHENTICATED',
        false,
        () => signToken(claims({ exp: undefined })),
      ],
      [
        'a token of tomorrow',
        'Invalid token',
        'UNAUTHENTICATED',
        false,
        () => signToken(claims({ nbf: inSeconds(9999) })),
      ],
      ['a refresh token', 'Invalid token', 'UNAUTHENTICATED', false, () => alice.refreshToken],
      [
        'an expired token',
        'Token expired',
        'TOKEN_EXPIRED',
        true,
        () => signToken(claims({ exp: inSeconds(-1) })),
      ],
      ['a user nobody knows', 'User not found', 'UNAUTHENTICATED', false, () => signToken({ sub: 'nobody' })],
      [
        'a session nobody knows',
        'Forbidden',
        'SESSION_REVOKED',
        false,
        () => signToken(claims({ sid: 'gone' })),
      ],
      ['a token that is no text', 'Forbidden', 'VALIDATION_FAILED', false, () => ({ $ne: null })],
    ])('%s', async (_case, message, code, retryable, token) => {
      const refused = await refusal(token());
      expect(refused.message).toBe(message);
      expect(refused.data).toMatchObject({ code, retryable, requestId: expect.any(String) as string });
    });

    it('fields and versions it does not know', async () => {
      const { accessToken: token } = alice;
      const version = await visit({ auth: { token, protocol: 2 } }).refusal();
      expect(version).toMatchObject({ message: 'Forbidden', data: { details: [{ path: 'auth.protocol' }] } });
      const field = await visit({ auth: { token, admin: true } }).refusal();
      expect(field).toMatchObject({
        message: 'Forbidden',
        data: { code: 'VALIDATION_FAILED', details: [{ path: 'auth' }] },
      });
    });

    it('a token in the address, even a good one', async () => {
      const { accessToken: token } = alice;
      for (const auth of [{}, { token }])
        expect(await visit({ query: { token }, auth }).refusal()).toMatchObject({
          message: 'Authentication required',
          data: { code: 'UNAUTHENTICATED', details: [{ path: 'query.token' }] },
        });
    });

    it('everybody in the default namespace', async () => {
      const refused = await visit({ namespace: '/', auth: { token: alice.accessToken } }).refusal();
      expect(refused).toMatchObject({ message: 'Forbidden', data: { code: 'FORBIDDEN', retryable: false } });
    });

    it('never repeats what it was given', async () => {
      for (const auth of [
        { token: 'marker-1' },
        { token: ['marker-1'] },
        { 'marker-1': 1 },
        { protocol: 'marker-1' },
      ])
        expect(JSON.stringify((await visit({ auth }).refusal()).data)).not.toContain('marker-1');
    });
  });

  describe('admits', () => {
    it.each<[string, () => VisitorOptions]>([
      ['a token in auth', () => ({ auth: { token: alice.accessToken } })],
      ['with the version', () => ({ auth: { token: alice.accessToken, protocol: 1 } })],
      ['a token in the header', () => ({ extraHeaders: { Authorization: `Bearer ${alice.accessToken}` } })],
      ['over polling', () => ({ auth: { token: alice.accessToken }, transports: ['polling'] })],
      [
        'over polling that becomes a websocket',
        () => ({ auth: { token: alice.accessToken }, transports: ['polling', 'websocket'] }),
      ],
    ])('%s', async (_case, options) => {
      expect((await visit(options()).welcome()).userId).toBe(alice.user.id);
    });

    it('over polling, where everything works', async () => {
      const actor = await server.connected(alice, { transports: ['polling'] });
      await actor.does('room:join', { roomId: 'slow-lane', roomName: 'Slow lane' });
      await actor.hasSeenEverythingOf('slow-lane', actor);
    });

    // The header was deleted after the first use, although all namespaces of a transport share it.
    it('a header once more, when the client comes back to the namespace over the same transport', async () => {
      const raw = await RawSocket.open(server.url, { authorization: `Bearer ${alice.accessToken}` });
      raw.send('40/chat,');
      await raw.frame('42/chat,["session:ready"');
      const before = await sockets(server);
      raw.send('41/chat,');
      while ((await sockets(server)) === before) await sleep(5);
      raw.send('40/chat,');
      await raw.frame('42/chat,["session:ready"', 2);
      raw.close();
    });
  });

  describe('knows where a page came from', () => {
    const polling = (origin: string) =>
      fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, { headers: { origin } });
    const welcomed = (origin: string) =>
      visit({ auth: { token: alice.accessToken }, extraHeaders: { origin } }).welcome();

    it.each([
      'https://evil.example.com',
      'null',
      'https://app.example.com.evil.com',
      'http://app.example.com',
    ])('and refuses %s over websocket and polling', async (origin) => {
      const socket = new WebSocket(
        `${server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`,
        { origin },
      );
      const failure = await new Promise<Error>((resolve) => socket.once('error', resolve));
      expect(failure.message).toMatch(/server response: 40[03]/);
      const answer = await polling(origin);
      expect(answer.status).toBe(403);
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    });

    it('and admits the listed and the own', async () => {
      await welcomed('https://app.example.com');
      const listed = await polling('https://app.example.com');
      expect([listed.status, listed.headers.get('access-control-allow-origin')]).toEqual([
        200,
        'https://app.example.com',
      ]);
      await welcomed(server.url);
      expect((await polling(server.url)).status).toBe(200);
    });
  });

  describe('over one transport', () => {
    const connect = () => `40/chat,${JSON.stringify({ token: alice.accessToken })}`;

    it('happens once for a namespace: more CONNECTs are refused and do no harm', async () => {
      const raw = await RawSocket.open(server.url);
      raw.send(connect(), ...Array.from({ length: 20 }, connect));
      await raw.frame('44/chat,', 20);
      await raw.frame('42/chat,["session:ready"');
      expect(raw.frames('40/chat,')).toHaveLength(1);
      expect(raw.frames('44/chat,')[0]).toMatch(/"message":"Forbidden".*"code":"FORBIDDEN"/);
      raw.send('42/chat,1["room:list",{}]');
      expect(await raw.frame('43/chat,1')).toContain('"status":"ok"');
      raw.close();
    });

    it('may be tried again after a refusal', async () => {
      const raw = await RawSocket.open(server.url);
      raw.send('40/chat,{"token":"wrong"}');
      await raw.frame('44/chat,');
      raw.send(connect());
      await raw.frame('42/chat,["session:ready"');
      raw.close();
    });

    it('a CONNECT into an open namespace ends that transport and no other', async () => {
      const bystander = await server.connected(await server.login('alice'));
      const raw = await RawSocket.open(server.url);
      raw.send(connect());
      await raw.frame('42/chat,["session:ready"');
      raw.send(connect());
      await raw.closed();
      await bystander.does('room:list', {});
      expect(bystander.got('session:closing')).toEqual([]);
    });
  });
});

describe('failed handshakes', () => {
  it('are limited by address: above it the server is busy, and a good token still gets in', async () => {
    const server = await TestServer.start({ FAILED_HANDSHAKES_LIMIT: '3' });
    try {
      const refused = [];
      for (let i = 0; i < 5; i++)
        refused.push(await new Visitor(server.url, { auth: { token: 'guess' } }).refusal());
      expect(refused.map(({ message }) => message)).toEqual([
        ...Array<string>(3).fill('Invalid token'),
        'Server busy',
        'Server busy',
      ]);
      expect(refused[3]!.data).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
      expect(refused[3]!.data!.retryAfterMs).toBeGreaterThan(50_000);
      expect(refused[3]!.data!.retryAfterMs).toBeLessThanOrEqual(60_000);
      await server.connected(await server.register('honest'));
    } finally {
      await server.stop();
    }
  });
});

describe('a storm of handshakes', () => {
  /** Nothing bounded them: when everybody came back at once, each asked the database several times, and all were late. */
  it('is let in a few at a time; who finds the line full is told when to come again, and comes in', async () => {
    const server = await TestServer.start({ HANDSHAKES_LIMIT: '1', MAX_CONNECTIONS_PER_USER: '1000' });
    const crowd = await Promise.all(Array.from({ length: 60 }, () => RawClient.transport(server.url)));
    try {
      const { accessToken: token } = await server.register('crowd');
      const isIn = (client: RawClient) => client.events('session:ready').length === 1;
      const refusals = (client: RawClient) => client.of('connect_error').length;
      const comesIn = async (client: RawClient) => {
        for (let tries = 1; !isIn(client); tries++) {
          client.write(`40/chat,${JSON.stringify({ token })}`);
          await client.until(() => isIn(client) || refusals(client) === tries, 'an answer at the door');
          if (!isIn(client)) await sleep(20);
        }
      };
      await Promise.all(crowd.map(comesIn));

      const refused = crowd.flatMap((client) => client.of('connect_error')).map(({ data }) => data);
      expect(refused.length).toBeGreaterThan(0);
      for (const refusal of refused)
        expect(refusal).toMatchObject({
          message: 'Server busy',
          data: { code: 'UNAVAILABLE', retryable: true, retryAfterMs: expect.any(Number) as number },
        });
      const waits = refused.map(
        (refusal) => (refusal as { data: { retryAfterMs: number } }).data.retryAfterMs,
      );
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(1000);
      expect(Math.max(...waits)).toBeLessThanOrEqual(5000);
    } finally {
      for (const client of crowd) client.close();
      await server.stop();
    }
  });
});

describe('a handshake whose client goes away', () => {
  it('gives its place to the next', async () => {
    const server = await TestServer.start({ HANDSHAKES_LIMIT: '1' });
    try {
      const session = await server.register('successor');
      const entered = new Promise<void>((resolve) => {
        jest.spyOn(server.app.get(SocketAuthenticator), 'authenticate').mockImplementationOnce(() => {
          resolve();
          return new Promise(() => undefined);
        });
      });
      const leaver = await RawClient.transport(server.url);
      leaver.write('40/chat,{"token":"any"}');
      await entered;
      leaver.close();
      await server.connected(session);
    } finally {
      await server.stop();
    }
  });
});

describe('a token that expires while its socket is open', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start({ ...JIT, COMMANDS_LIMIT: '1000' });
  });
  afterAll(() => server.stop());

  it('is announced, and without a renewal the socket is closed on time', async () => {
    const exp = inSeconds(2);
    const actor = await server.connected(foreignSession('late', { exp }));
    const { expiresAt } = await actor.receives('session:expiring');
    expect(Date.parse(expiresAt)).toBe(exp * 1000);
    expect(await actor.receives('session:closing')).toEqual({ code: 'TOKEN_EXPIRED', reconnect: true });
    expect(Date.now()).toBeGreaterThanOrEqual(exp * 1000 - 20);
    expect(Date.now()).toBeLessThan(exp * 1000 + 1000);
    await isCutOff(actor);
  });

  it('is renewed by auth:refresh, on the same socket', async () => {
    const [renewed, other] = await Promise.all([
      server.connected(foreignSession('early', { exp: inSeconds(2) })),
      server.connected(foreignSession('control', { exp: inSeconds(3) })),
    ]);
    await renewed.receives('session:expiring');
    const exp = inSeconds(3600);
    const { expiresAt } = await renewed.does('auth:refresh', { token: signToken({ sub: 'early', exp }) });
    expect(Date.parse(expiresAt)).toBe(exp * 1000);

    // The clock of the other proves that the first deadline is over.
    await isCutOff(other);
    await renewed.does('room:list', {});
    expect(renewed.got('session:closing')).toEqual([]);
  });

  /** A short token was announced in the same breath as it was taken: a client that renews on the event never stopped. */
  it('is announced when half of a short life is over, not at once', async () => {
    const exp = inSeconds(4);
    const actor = await server.connected(foreignSession('brief', { exp }));
    const token = signToken({ sub: 'brief', exp });
    for (let round = 0; round < 5; round++) await actor.does('auth:refresh', { token });
    // What was sent with the welcome or an answer would be here.
    expect(actor.got('session:expiring')).toEqual([]);
    await actor.receives('session:expiring', { expiresAt: new Date(exp * 1000).toISOString() });
    await isCutOff(actor);
    expect(actor.got('session:expiring')).toHaveLength(1);
  });

  it('is not renewed by a token of somebody else, a bad one or an old one', async () => {
    const actor = await server.connected(foreignSession('stubborn'));
    const refused = (token: string) => actor.refused('auth:refresh', { token });
    expect(await refused(signToken({ sub: 'control' }))).toMatchObject({ code: 'FORBIDDEN' });
    expect(await refused(unsignedToken({ sub: 'stubborn' }))).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await refused(signToken({ sub: 'stubborn', exp: inSeconds(-1) }))).toMatchObject({
      code: 'TOKEN_EXPIRED',
    });
    expect(await actor.refused('auth:refresh', {})).toMatchObject({ code: 'VALIDATION_FAILED' });
    await actor.does('room:list', {});
  });

  /** The end of the session looked for its sockets before the renewal gave it this one, which then stayed open. */
  it('is not renewed by a session that ends in that moment', async () => {
    const local = await TestServer.start();
    try {
      const first = await local.register('nomad');
      const second = await local.login('nomad');
      const device = await local.connected(first);
      const authenticator = local.app.get(SocketAuthenticator);
      const authenticate = authenticator.authenticate.bind(authenticator);
      jest.spyOn(authenticator, 'authenticate').mockImplementationOnce(async (token) => {
        const actor = await authenticate(token);
        expect((await local.actor(second).rest('POST', '/auth/logout')).status).toBe(204);
        return actor;
      });
      device.socket.emit('auth:refresh', { token: second.accessToken });
      await device.receives('session:closing', { code: 'SESSION_REVOKED', reconnect: false });
      await isCutOff(device);
    } finally {
      await local.stop();
    }
  });

  it('a socket follows the session of the token it was renewed with', async () => {
    const local = await TestServer.start();
    try {
      const first = await local.register('nomad');
      const second = await local.login('nomad');
      const device = await local.connected(first);
      await device.does('auth:refresh', { token: second.accessToken });
      expect((await local.actor(first).rest('POST', '/auth/logout')).status).toBe(204);
      await device.does('room:list', {});
      expect((await local.actor(second).rest('POST', '/auth/logout')).status).toBe(204);
      await device.receives('session:closing', { code: 'SESSION_REVOKED', reconnect: false });
      await isCutOff(device);
    } finally {
      await local.stop();
    }
  });
});

describe('connections of one user', () => {
  it('are limited: the oldest is closed, those of others are not', async () => {
    const server = await TestServer.start({ MAX_CONNECTIONS_PER_USER: '2' });
    try {
      const session = await server.register('many');
      const other = await server.connected(await server.register('other'));
      const oldest = await server.connected(session);
      const middle = await server.connected(session);
      const newest = await server.connected(session);
      expect(await oldest.receives('session:closing')).toMatchObject({
        code: 'CONNECTION_LIMIT',
        reconnect: true,
      });
      await isCutOff(oldest);
      for (const actor of [middle, newest, other]) {
        await actor.does('room:list', {});
        expect(actor.got('session:closing')).toEqual([]);
      }
      // One that leaves by itself makes room.
      newest.disconnect();
      await isCutOff(newest);
      while ((await connections(server)) > 2) await sleep(5);
      await server.connected(session);
      await middle.does('room:list', {});
      expect(middle.got('session:closing')).toEqual([]);
    } finally {
      await server.stop();
    }
  });
});

/** Sockets of `/chat`, as the server counts them. */
async function sockets(server: TestServer): Promise<number> {
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^parley_connections\{namespace="\/chat"\} (\d+)$/m.exec(metrics)?.[1]);
}

async function connections(server: TestServer): Promise<number> {
  const body = (await (await fetch(`${server.url}/health`)).json()) as { connections: number };
  return body.connections;
}

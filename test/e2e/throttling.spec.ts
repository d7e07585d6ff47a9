import { setTimeout as sleep } from 'node:timers/promises';
import type { WireError } from '../../src/contract/errors.js';
import type { Actor, Answer } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';

const PASSWORD = 'correct horse battery';

const limits = ({ headers }: Answer) =>
  ['limit', 'remaining', 'reset'].map((name) => Number(headers.get(`ratelimit-${name}`) ?? NaN));

function expectLimited(answer: Answer): WireError {
  expect(answer).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED', retryable: true } });
  const problem = answer.body as WireError;
  expect(Number(answer.headers.get('retry-after'))).toBe(Math.ceil(problem.retryAfterMs! / 1000));
  return problem;
}

describe('the limit on sends', () => {
  const WINDOW_MS = 2400;
  let server: TestServer;
  let quick: TestServer;
  beforeAll(async () => {
    server = await TestServer.start({ SENDS_LIMIT: '3', SENDS_WINDOW_MS: '60000' });
    quick = await TestServer.start({ SENDS_LIMIT: '3', SENDS_WINDOW_MS: String(WINDOW_MS) });
  });
  afterAll(() => Promise.all([server.stop(), quick.stop()]));

  const roomFor = async (actor: Actor, roomId: string) => {
    await actor.does('room:join', { roomId, roomName: roomId });
    return roomId;
  };

  it('slides, and says exactly how long to wait', async () => {
    const [actor] = await quick.actors('slider');
    const room = await roomFor(actor, 'slide');
    const startedAt = performance.now();
    await actor.sends(room, 'one');
    await sleep(WINDOW_MS / 2);
    await actor.sends(room, 'two');
    await actor.sends(room, 'three');

    const error = await actor.refused('message:send', { roomId: room, content: 'too much' });
    expect(error).toMatchObject({
      code: 'RATE_LIMITED',
      retryable: true,
      requestId: expect.any(String) as string,
    });
    // Until the first has left the window, not until a fixed window ends.
    const elapsed = performance.now() - startedAt;
    expect(error.retryAfterMs).toBeGreaterThan(WINDOW_MS - elapsed - 50);
    expect(error.retryAfterMs).toBeLessThanOrEqual(WINDOW_MS / 2 + 5);

    await sleep(error.retryAfterMs);
    await actor.sends(room, 'four');
    // One place came free, not all of them.
    const next = await actor.refused('message:send', { roomId: room, content: 'too much again' });
    expect(next.retryAfterMs).toBeGreaterThan(WINDOW_MS / 4);
    const { messages } = await actor.does('message:history', { roomId: room });
    expect(messages.map(({ content }) => content)).toEqual(['one', 'two', 'three', 'four']);
  });

  it('is of the user: sockets and REST share it, other users do not', async () => {
    const session = await server.register('shared');
    const [phone, laptop] = await Promise.all([server.connected(session), server.connected(session)]);
    const [other] = await server.actors('other');
    const room = await roomFor(phone, 'shared');
    await roomFor(other, room);

    await phone.sends(room, 'by phone');
    await laptop.sends(room, 'by laptop');
    const posted = await laptop.rest('POST', `/rooms/${room}/messages`, { content: 'by REST' });
    expect(posted.status).toBe(201);
    expect(limits(posted).slice(0, 2)).toEqual([3, 0]);
    expect(limits(posted)[2]).toBeLessThanOrEqual(60);
    expect(limits(posted)[2]).toBeGreaterThan(30);

    const refused = await phone.rest('POST', `/rooms/${room}/messages`, { content: 'too much' });
    expectLimited(refused);
    expect(limits(refused).slice(0, 2)).toEqual([3, 0]);
    expect(limits(refused)[2]).toBe(Number(refused.headers.get('retry-after')));
    expect(await phone.refused('message:send', { roomId: room, content: 'too much' })).toMatchObject({
      code: 'RATE_LIMITED',
    });
    expect(await laptop.refused('message:send', { roomId: room, content: 'too much' })).toMatchObject({
      code: 'RATE_LIMITED',
    });
    await other.sends(room, 'mine');
    // Reading is not sending.
    await phone.does('message:history', { roomId: room });
  });

  it('counts bad input too', async () => {
    const [actor] = await server.actors('sloppy');
    for (let i = 0; i < 3; i++)
      expect(await actor.refused('message:send', { roomId: 7 })).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(await actor.refused('message:send', { roomId: 7 })).toMatchObject({ code: 'RATE_LIMITED' });
  });
});

describe('the limit on commands', () => {
  const LIMIT = 10;
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start({ COMMANDS_LIMIT: String(LIMIT) });
  });
  afterAll(() => server.stop());

  /** How many of so many pipelined commands pass it. */
  const passed = async (attempts: number, command: () => Promise<string | undefined>) => {
    const codes = await Promise.all(Array.from({ length: attempts }, command));
    return codes.filter((code) => code !== 'RATE_LIMITED').length;
  };
  const codeOf = async (actor: Actor, event: string, ...args: unknown[]) => {
    const answer = (await actor.socket.timeout(5000).emitWithAck(event, ...args)) as { error?: WireError };
    return answer.error?.code;
  };

  // Were the interceptor registered twice, every command would count twice and half of them pass.
  it.each<[string, unknown[]]>([
    ['room:list', [{}]],
    ['room:list', [{ unknown: 1 }]],
    ['room:list', [{}, 'one argument too many']],
    ['auth:refresh', [{ token: 'x' }]],
    ['no:such-command', [{}]],
  ])('counts each %s %j exactly once', async (event, args) => {
    const [actor] = await server.actors(`user-${String(Math.random()).slice(2, 12)}`);
    expect(await passed(LIMIT + 5, () => codeOf(actor, event, ...args))).toBe(LIMIT);
  });

  it('counts a mixture together, on each connection for itself', async () => {
    const session = await server.register('mixed');
    const [one, two] = await Promise.all([server.connected(session), server.connected(session)]);
    const events = ['room:list', 'no:such-command', 'room:positions'];
    let next = 0;
    expect(await passed(30, () => codeOf(one, events[next++ % 3]!, {}))).toBe(LIMIT);
    expect(await passed(1, () => codeOf(two, 'room:list', {}))).toBe(1);
    const error = await one.refused('room:list', {});
    expect(error.retryAfterMs).toBeGreaterThan(50_000);
    expect(error.retryAfterMs).toBeLessThanOrEqual(60_000);
  });

  it('counts the requests of a user over REST, and each answer says what is left', async () => {
    const actor = server.actor(await server.register('restful'));
    const answers: Answer[] = [];
    for (let i = 0; i < LIMIT; i++) answers.push(await actor.rest('GET', '/users/me'));
    expect(answers.map((answer) => limits(answer)[1])).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    for (const answer of answers) {
      const [limit, , reset] = limits(answer);
      expect(limit).toBe(LIMIT);
      expect(reset).toBeGreaterThan(50);
      expect(reset).toBeLessThanOrEqual(60);
    }
    const refused = await actor.rest('GET', '/users/me');
    expectLimited(refused);
    expect(limits(refused).slice(0, 2)).toEqual([LIMIT, 0]);
    // A socket has a window of its own.
    await (await server.connected(actor.session)).does('room:list', {});
  });

  it('gives answers without a limit no such headers', async () => {
    const answer = await fetch(`${server.url}/health`);
    expect(answer.headers.get('ratelimit-limit')).toBeNull();
  });

  it('closes a connection that goes on and on, and nobody else’s', async () => {
    const [abuser, neighbour] = await server.actors('abuser', 'neighbour');
    for (let i = 0; i < LIMIT + 110; i++) abuser.socket.emit('room:list', {});
    const closing = await abuser.receives('session:closing');
    expect(closing).toEqual({
      code: 'TOO_MANY_REQUESTS',
      reconnect: true,
      retryAfterMs: expect.any(Number) as number,
    });
    await abuser.inbox.until(() => abuser.inbox.all('disconnect').length > 0, 'the end of the connection');
    // Without a callback the refusals came as events.
    expect(abuser.got('error').filter(({ code }) => code === 'RATE_LIMITED').length).toBeGreaterThanOrEqual(
      100,
    );
    expect(abuser.got('error')[0]).toMatchObject({ event: 'room:list', retryable: true });
    await neighbour.does('room:list', {});
    expect(neighbour.got('session:closing')).toEqual([]);
  });
});

describe('the limit on sign-ins', () => {
  const start = (environment: Record<string, string> = {}) =>
    TestServer.start({ LOGINS_LIMIT: '3', ...environment });
  const login = (server: TestServer, username: string, address?: string, password = 'wrong password') =>
    server.post(
      '/auth/login',
      { username, password },
      address === undefined ? {} : { 'x-forwarded-for': address },
    );

  it('is of the address, whatever account is tried', async () => {
    const server = await start();
    try {
      await server.register('target');
      const answers = [];
      for (const name of ['a-name', 'b-name', 'c-name']) answers.push(await login(server, name));
      expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
      expect(answers.map((answer) => limits(answer)[1])).toEqual([2, 1, 0]);
      const refused = await login(server, 'target', undefined, PASSWORD);
      expect(expectLimited(refused).retryAfterMs).toBeGreaterThan(50_000);
      expect(limits(refused)[1]).toBe(0);
      // A header that no trusted proxy wrote makes no new address.
      expectLimited(await login(server, 'target', '203.0.113.9', PASSWORD));
    } finally {
      await server.stop();
    }
  });

  it('is of the account, whatever address tries it, and spares the others', async () => {
    const server = await start({ TRUST_PROXY: '1' });
    try {
      await server.register('target');
      await server.register('innocent');
      for (const [i, name] of ['target', 'TARGET', 'Target'].entries())
        expect((await login(server, name, `203.0.113.${String(i)}`)).status).toBe(401);
      expectLimited(await login(server, 'target', '203.0.113.99', PASSWORD));
      expect((await login(server, 'innocent', '203.0.113.99', PASSWORD)).status).toBe(200);
      // One customer of IPv6 has a whole /64 of addresses, and one limit.
      for (let i = 0; i < 3; i++) await login(server, `name-${String(i)}`, `2001:db8::${String(i)}`);
      expectLimited(await login(server, 'innocent', '2001:db8::ffff', PASSWORD));
    } finally {
      await server.stop();
    }
  });

  it('holds for new accounts too', async () => {
    const server = await start();
    try {
      for (const name of ['one', 'two', 'three']) await server.register(name);
      const refused = await server.post('/auth/register', { username: 'four', password: PASSWORD });
      expectLimited(refused);
      expect(limits(refused).slice(0, 2)).toEqual([3, 0]);
    } finally {
      await server.stop();
    }
  });
});

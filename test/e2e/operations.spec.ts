import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WireError } from '../../src/contract/errors.js';
import { MessageLog } from '../../src/messages/message-log.service.js';
import { MessagesService } from '../../src/messages/messages.service.js';
import { UsersService } from '../../src/users/users.service.js';
import { request, type Answer } from '../harness/actor.js';
import { createTestDatabase } from '../harness/database.js';
import { buildServer, ServerProcess } from '../harness/server-process.js';
import { TestServer } from '../harness/server.js';
import { Visitor } from '../harness/visitor.js';

const text = expect.any(String) as string;
const number = expect.any(Number) as number;

async function problemOf(response: Promise<Response>): Promise<WireError & { status: number }> {
  expect((await response).headers.get('content-type')).toMatch(/^application\/problem\+json/);
  return (await (await response).json()) as WireError & { status: number };
}

describe('what an operator sees', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start({ CORS_ORIGINS: 'https://app.example.com' });
  });
  afterAll(() => server.stop());

  const get = (path: string, init?: RequestInit) => fetch(`${server.url}${path}`, init);
  const metrics = async () => (await get('/metrics')).text();

  it('health: alive, ready, and how many are connected', async () => {
    expect(await (await get('/health')).json()).toEqual({
      status: 'ok',
      version: text,
      uptimeSeconds: number,
      connections: 0,
    });
    const [one, two] = await server.actors('one', 'two');
    expect(await (await get('/health')).json()).toMatchObject({ connections: 2 });
    for (const actor of [one, two]) actor.disconnect();
    for (const path of ['/health/live', '/health/ready'])
      expect(await (await get(path)).json()).toEqual({ status: 'ok' });
  });

  it('metrics: connections, and commands by name and result; what a client invents makes no series', async () => {
    const [actor] = await server.actors('measured');
    await actor.does('room:join', { roomId: 'measured', roomName: 'Measured' });
    await actor.sends('measured', 'hello');
    await actor.refused('message:send', { roomId: 'measured', content: '' });
    for (const invented of ['invented:one', 'invented:two', 'invented"} 1'])
      expect(await actor.refused(invented, {})).toMatchObject({ code: 'UNKNOWN_EVENT' });

    const shown = await metrics();
    expect(shown).toMatch(/^parley_connections\{namespace="\/chat"\} \d+$/m);
    expect(shown).toContain('parley_commands_total{command="message:send",result="ok"} 1\n');
    expect(shown).toContain('parley_commands_total{command="message:send",result="VALIDATION_FAILED"} 1\n');
    expect(shown).toContain('parley_commands_total{command="unknown",result="UNKNOWN_EVENT"} 3\n');
    expect(shown).not.toContain('invented');
    expect(shown).toMatch(/^parley_http_requests_total\{method="POST",status="201"\} \d+$/m);
  });

  it('headers that keep browsers safe, and nothing about the framework', async () => {
    const { headers } = await get('/api/v1/users/me');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
    expect(headers.get('x-powered-by')).toBeNull();
    // Without TLS a browser told to insist on it could not come back.
    expect(headers.get('strict-transport-security')).toBeNull();
    expect(headers.get('content-security-policy')).not.toContain('upgrade-insecure-requests');
  });

  /** One in ten thousand requests was reset: Node closes idle connections after 5 s, balancers after 60. */
  it('idle connections are left to whoever is in front to close', async () => {
    expect((await get('/health/live')).headers.get('keep-alive')).toBe('timeout=65');
  });

  it('CORS: a listed origin may call with everything it needs, a foreign one is told nothing', async () => {
    const preflight = (origin: string) =>
      get('/api/v1/rooms/general/messages', {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,content-type,idempotency-key',
        },
      });
    const { status, headers } = await preflight('https://app.example.com');
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(headers.get('access-control-allow-methods')).toMatch(/POST/);
    expect(headers.get('access-control-allow-headers')).toBe('authorization,content-type,idempotency-key');
    expect(headers.get('access-control-max-age')).toBe('600');
    expect(
      (await preflight('https://evil.example.com')).headers.get('access-control-allow-origin'),
    ).toBeNull();

    const answer = await get('/api/v1/users/me', { headers: { origin: 'https://app.example.com' } });
    for (const header of ['Retry-After', 'RateLimit-Remaining', 'X-Request-Id'])
      expect(answer.headers.get('access-control-expose-headers')).toContain(header);
  });

  describe('every refusal over HTTP is a problem document', () => {
    const post = (body: string, headers: Record<string, string> = {}) =>
      get('/api/v1/auth/login', {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', ...headers },
      });

    it.each<[string, number, string, () => Promise<Response>]>([
      [
        'a body too large',
        413,
        'PAYLOAD_TOO_LARGE',
        () => post(JSON.stringify({ username: 'x'.repeat(70_000) })),
      ],
      ['a body that is not JSON', 400, 'VALIDATION_FAILED', () => post('{"username":')],
      [
        'an unknown charset',
        415,
        'UNSUPPORTED_MEDIA',
        () => post('{}', { 'content-type': 'application/json; charset=klingon' }),
      ],
      ['an unknown encoding', 415, 'UNSUPPORTED_MEDIA', () => post('{}', { 'content-encoding': 'klingon' })],
      [
        'a body of another type',
        415,
        'UNSUPPORTED_MEDIA',
        () => post('<a/>', { 'content-type': 'text/xml' }),
      ],
      ['an unknown route', 404, 'NOT_FOUND', () => get('/api/v1/nothing')],
      ['an unknown path outside the API', 404, 'NOT_FOUND', () => get('/nothing/<b>here</b>')],
      ['a method a path does not have', 404, 'NOT_FOUND', () => get('/health', { method: 'DELETE' })],
      [
        'a path that cannot be decoded',
        400,
        'VALIDATION_FAILED',
        () => get('/api/v1/rooms/%E0%A4%A/messages'),
      ],
    ])('%s', async (_case, status, code, response) => {
      const problem = await problemOf(response());
      expect(problem).toMatchObject({
        type: `/docs/errors#${code}`,
        status,
        code,
        title: text,
        detail: text,
        requestId: text,
      });
      expect(JSON.stringify(problem)).not.toMatch(/klingon|<b>|xxxx/);
    });
  });
});

describe('the log', () => {
  const MARKER = 'sentinel-7f3a';
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start({ LOG_LEVEL: 'debug' });
  });
  afterAll(() => server.stop());

  const linesWith = (needle: string) => server.log.filter((line) => line.includes(needle));

  it('never contains what people wrote or what signs them in', async () => {
    const password = `${MARKER} password`;
    const registered = await server.post('/auth/register', { username: 'secretive', password });
    expect(registered.status).toBe(201);
    await server.post('/auth/login', { username: 'secretive', password: `${password}, wrong` });
    await server.post('/auth/login', `{"password": "${MARKER}`);
    await server.post('/auth/login', { username: 'secretive', password, [MARKER]: 1 });
    await server.post('/auth/refresh', { refreshToken: `${MARKER}.1.${MARKER}` });
    await request(server.url, 'GET', `/users?query=${MARKER}&unknown=${MARKER}`, undefined, {
      authorization: `Bearer ${MARKER}`,
      cookie: `session=${MARKER}`,
      'user-agent': MARKER,
      'x-forwarded-for': MARKER,
      'x-request-id': `not an id ${MARKER}`,
      referer: `https://example.com/${MARKER}`,
    });
    await fetch(`${server.url}/setup?token=${MARKER}`);
    await new Visitor(server.url, { auth: { token: MARKER } }).refusal();
    await new Visitor(server.url, {
      query: { token: MARKER },
      extraHeaders: { authorization: `Bearer ${MARKER}` },
    }).refusal();

    const [actor] = await server.actors('writer');
    await actor.does('room:join', { roomId: 'quiet', roomName: `${MARKER} room` });
    await actor.sends('quiet', `${MARKER} content`, {
      type: 'x-note',
      data: { note: MARKER },
      clientMessageId: MARKER,
    });
    await actor.refused('message:send', { roomId: 'quiet', content: MARKER, [MARKER]: MARKER });
    await actor.refused('message:send', { roomId: MARKER, content: MARKER, mentions: MARKER });
    await actor.refused('auth:refresh', { token: `${MARKER}.${MARKER}.${MARKER}` });
    await actor.refused(MARKER, { text: MARKER });
    await actor.rest('POST', '/rooms/quiet/messages', { content: MARKER, data: MARKER });
    await actor.rest('GET', `/rooms/quiet/messages?before=${MARKER}`);

    // The log was on: it speaks of these very commands and requests.
    expect(linesWith('"command":"message:send"').length).toBeGreaterThan(0);
    expect(linesWith('"path":"/api/v1/auth/login"').length).toBeGreaterThan(0);
    expect(linesWith(MARKER)).toEqual([]);
    expect(linesWith(actor.session.accessToken.split('.')[2]!)).toEqual([]);
    expect(linesWith(actor.session.refreshToken)).toEqual([]);
  });

  it('has the requestId of every refusal', async () => {
    const [actor] = await server.actors('asker');
    const missing = await actor.rest('GET', '/rooms/there-is-none');
    expect(missing.status).toBe(404);
    expect(linesWith((missing.body as WireError).requestId)).toHaveLength(1);
    expect(missing.headers.get('x-request-id')).toBe((missing.body as WireError).requestId);
    const given = await actor.rest('GET', '/rooms/there-is-none', undefined, {
      'x-request-id': 'from-the-proxy-1',
    });
    expect(given.body).toMatchObject({ requestId: 'from-the-proxy-1' });

    const { requestId } = await actor.refused('message:history', { roomId: 'there-is-none' });
    expect(linesWith(requestId)).toHaveLength(1);
  });

  it('tells of defects what the client is not told', async () => {
    const [actor] = await server.actors('unlucky');
    const defect = () => Promise.reject(new TypeError('cannot read the flux of undefined'));
    // What is printed for the eyes of a developer is expected here.
    const quiet = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    const spies = [
      jest.spyOn(server.app.get(UsersService, { strict: false }), 'search').mockImplementationOnce(defect),
      jest.spyOn(server.app.get(MessageLog, { strict: false }), 'history').mockImplementationOnce(defect),
    ];
    const overRest = await actor.rest('GET', '/users?query=a');
    const overSocket = await actor.refused('message:history', { roomId: 'any' });
    quiet.mockRestore();
    for (const spy of spies) spy.mockRestore();

    expect(overRest).toMatchObject({ status: 500, body: { code: 'INTERNAL', retryable: true } });
    expect(overSocket).toMatchObject({ code: 'INTERNAL', retryable: true });
    for (const told of [overRest.body as WireError, overSocket]) {
      expect(JSON.stringify(told)).not.toContain('flux');
      const lines = linesWith(told.requestId).filter((line) => line.includes('"level":"error"'));
      expect(lines.join('')).toContain('cannot read the flux of undefined');
      expect(lines.join('')).toContain('operations.spec.ts');
    }
  });
});

describe('a drain', () => {
  it('finishes what is in flight, tells everybody to come again, and lets nobody in', async () => {
    const database = await createTestDatabase();
    const server = await TestServer.start({}, database);
    let open!: () => void;
    const gate = new Promise<void>((resolve) => (open = resolve));
    let closed: Promise<void> | undefined;
    try {
      const [alice, bob] = await server.actors('alice', 'bob');
      await alice.does('room:join', { roomId: 'general', roomName: 'General' });
      await bob.does('room:join', { roomId: 'general' });

      // Sends are held up where they enter, until the drain has begun.
      const messages = server.app.get(MessagesService, { strict: false });
      const send = messages.send.bind(messages);
      let allHeld!: () => void;
      const held = new Promise<void>((resolve) => (allHeld = resolve));
      let count = 0;
      jest.spyOn(messages, 'send').mockImplementation(async (...args) => {
        count += 1;
        if (count === 4) allHeld();
        await gate;
        return send(...args);
      });
      const pipelined = ['one', 'two', 'three'].map((content) => alice.sends('general', content));
      const posted = bob.rest('POST', '/rooms/general/messages', { content: 'four' });
      await held;

      closed = server.app.close();
      const closing = await alice.receives('session:closing');
      expect(closing).toEqual({ code: 'DRAIN', reconnect: true, retryAfterMs: number });
      expect(closing.retryAfterMs).toBeLessThanOrEqual(5000);
      await bob.receives('session:closing', { code: 'DRAIN' });

      const ready = await problemOf(fetch(`${server.url}/health/ready`));
      expect(ready).toMatchObject({ status: 503, code: 'UNAVAILABLE', retryAfterMs: number });
      expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
      const refused = await new Visitor(server.url, { auth: { token: bob.session.accessToken } }).refusal();
      expect(refused).toMatchObject({
        message: 'Server busy',
        data: { code: 'UNAVAILABLE', retryable: true, retryAfterMs: number },
      });
      expect(await bob.refused('room:list', {})).toMatchObject({ code: 'UNAVAILABLE', retryable: true });

      open();
      expect((await Promise.all(pipelined)).map(({ deduplicated }) => deduplicated)).toEqual([
        false,
        false,
        false,
      ]);
      expect((await posted).status).toBe(201);
      await closed;
      for (const actor of [alice, bob]) {
        await actor.inbox.until(
          () => actor.inbox.all('disconnect').length === 1,
          'the end of the connection',
        );
        expect(actor.got('message:new')).toHaveLength(4);
        expect(actor.got('session:closing')).toHaveLength(1);
      }
      await expect(fetch(`${server.url}/health`)).rejects.toThrow();

      const next = await TestServer.start({}, database);
      const history = await next.actor(await next.login('alice')).rest('GET', '/rooms/general/messages');
      const { data } = history.body as { data: { content: string }[] };
      expect(data.map(({ content }) => content).sort()).toEqual(['four', 'one', 'three', 'two']);
      await next.stop();
    } finally {
      open();
      await (closed ?? server.app.close());
      await database.drop();
    }
  });
});

describe('the process', () => {
  const folders: string[] = [];
  const processes: ServerProcess[] = [];
  beforeAll(() => buildServer(), 120_000);
  afterAll(async () => {
    await Promise.all(processes.map((one) => one.end('SIGKILL')));
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  });

  const folder = async () => {
    folders.push(await mkdtemp(join(tmpdir(), 'parley-process-')));
    return folders.at(-1)!;
  };
  const start = (where: string, environment: Record<string, string> = {}) => {
    processes.push(new ServerProcess(where, environment));
    return processes.at(-1)!;
  };

  it('lists every problem of the configuration at once, without the values, and does not start', async () => {
    const server = start(await folder(), {
      PORT: 'eighty',
      DATABASE_URL: 'mysql://root:hunter2@localhost/db',
      JWT_SECRET: 'too short',
      CORS_ORIGINS: 'https://app.example.com/path',
      REGISTRATION: 'maybe',
      ADMIN_USERNAME: 'root',
      TLS_CERT: 'cert.pem',
    });
    expect(await server.end()).toBe(1);
    const problems = server.stderr.split('\n').filter((line) => line.startsWith('  '));
    expect(problems.map((line) => /^ {2}(\w+): \S/.exec(line)?.[1]).sort()).toEqual([
      'ADMIN_PASSWORD',
      'CORS_ORIGINS',
      'DATABASE_URL',
      'JWT_SECRET',
      'PORT',
      'REGISTRATION',
      'TLS_KEY',
    ]);
    expect(server.stderr).not.toMatch(/hunter2|too short|\n\s+at /);
    expect(server.stdout).toBe('');
  });

  it('guards its data directory: a second one refuses and the first goes on, until it is told to end', async () => {
    const where = await folder();
    const first = start(where, { DATA_DIR: join(where, 'data') });
    const url = await first.url();
    expect(first.stdout).toMatch(/Create the administrator, once:\s+http\S+\/setup\?token=\S+/);

    const second = start(where, { DATA_DIR: join(where, 'data') });
    expect(await second.end()).toBe(1);
    expect(second.stderr).toContain(`is in use by process ${String(first.pid)}`);
    expect(second.stderr).not.toMatch(/\n\s+at /);

    const answer: Answer = await request(url, 'POST', '/auth/register', {
      username: 'still',
      password: 'here I am',
    });
    expect(answer.status).toBe(201);
    expect(await first.end('SIGTERM')).toBe(0);

    const third = start(where, { DATA_DIR: join(where, 'data') });
    const login = await request(await third.url(), 'POST', '/auth/login', {
      username: 'still',
      password: 'here I am',
    });
    expect(login.status).toBe(200);
    expect(await third.end('SIGTERM')).toBe(0);
  }, 60_000);

  it('says when its port is taken', async () => {
    const database = await createTestDatabase();
    const taken = await TestServer.start();
    try {
      const server = start(await folder(), {
        PORT: new URL(taken.url).port,
        DATA_DIR: database.dataDir,
        ...(database.databaseUrl !== undefined && {
          DATABASE_URL: database.databaseUrl,
          JWT_SECRET: 'x'.repeat(32),
        }),
      });
      expect(await server.end()).toBe(1);
      expect(server.stderr).toMatch(/Parley could not start: .*EADDRINUSE/);
    } finally {
      await taken.stop();
      await database.drop();
    }
  });
});

import { setImmediate as turn } from 'node:timers/promises';
import type { AuthSession } from '../../src/contract/rest.js';
import type { Message } from '../../src/contract/views.js';
import { RealtimeServer } from '../../src/platform/realtime/realtime-server.js';
import { userChannel } from '../../src/platform/realtime/realtime-socket.js';
import { Actor, request } from '../harness/actor.js';
import { counted } from '../harness/counted.js';
import { createTestDatabase, type TestDatabase } from '../harness/database.js';
import { buildServer, ServerProcess } from '../harness/server-process.js';
import { TestServer } from '../harness/server.js';
import { WireTap } from '../harness/wire-tap.js';

const MB = 1_000_000;

describe('a receiver that stops reading while 200 MB are sent to its room', () => {
  const CONTENT = 'x'.repeat(50_000);
  let database: TestDatabase;
  let server: ServerProcess;
  let url: string;
  const open: Actor[] = [];

  beforeAll(async () => {
    buildServer();
    database = await createTestDatabase();
    server = new ServerProcess(database.dataDir, {
      DATA_DIR: database.dataDir,
      ...(database.databaseUrl !== undefined && { DATABASE_URL: database.databaseUrl }),
      JWT_SECRET: 'a secret for tests that is long enough to be one',
      COMMANDS_LIMIT: '1000000',
      SENDS_LIMIT: '1000000',
      MAX_CONTENT_LENGTH: String(CONTENT.length),
      // Otherwise V8 lets garbage pile up, and the size of the process says nothing of what it keeps.
      NODE_OPTIONS: '--max-old-space-size=128',
    });
    url = await server.url();
  }, 90_000);
  afterAll(async () => {
    for (const actor of open) actor.disconnect();
    await server.end('SIGTERM');
    await database.drop();
  });

  const metric = async (name: string) => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  };
  const register = async (username: string) => {
    const person = { username, password: 'correct horse battery', name: username };
    return (await request(url, 'POST', '/auth/register', person)).body as AuthSession;
  };
  const connected = async (username: string) => {
    const actor = new Actor(url, await register(username));
    open.push(actor);
    return actor.connect();
  };

  it('is cut; the others have everything, and the memory stays', async () => {
    const [alice, bob, carol] = [
      await connected('alice'),
      await connected('bob'),
      await connected('carol'),
    ] as const;
    const mallory = await register('mallory');
    const memberIds = [bob.id, carol.id, mallory.user.id];
    await alice.does('room:create', { roomId: 'hall', name: 'Hall', type: 'private', memberIds });

    // Looked at and thrown away: an inbox would keep them all.
    const readers = [bob, carol].map((actor) => {
      const reader = { actor, got: 0, wrong: 0 };
      actor.socket.offAny();
      actor.socket.on('message:new', ({ seq, content }: Message) => {
        reader.got += 1;
        if (seq !== reader.got || content !== CONTENT) reader.wrong += 1;
      });
      return reader;
    });
    let sent = 0;
    const send = async (messages: number) => {
      for (const end = sent + messages; sent < end; sent += 20) {
        await Promise.all(Array.from({ length: 20 }, () => alice.sends('hall', CONTENT)));
        // An answer comes after what was sent before it, so they are never far behind.
        await Promise.all(readers.map(({ actor }) => actor.does('room:positions', { roomIds: ['hall'] })));
      }
    };

    // What a process grows by when it is first busy is not what is asked here.
    await send(1000);
    const before = await metric('process_resident_memory_bytes');
    const tap = await WireTap.in(url, '/chat', mallory.accessToken);
    tap.stopReading();
    let most = 0;
    for (let part = 0; part < 20; part += 1) {
      await send(200);
      most = Math.max(most, await metric('process_resident_memory_bytes'));
    }
    expect(await metric('parley_slow_consumers_total')).toBe(1);
    expect(most - before).toBeLessThan(50 * MB);
    expect(readers.map(({ got, wrong }) => ({ got, wrong }))).toEqual(
      readers.map(() => ({ got: sent, wrong: 0 })),
    );

    tap.readOn();
    await tap.closed();
    expect(tap.received().length).toBeLessThan(50 * MB);
    // Whoever comes back is let in.
    await (await WireTap.in(url, '/chat', mallory.accessToken)).has('"session:ready"');
  }, 180_000);
});

describe('limits of what waits for a connection', () => {
  const servers: TestServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
  });
  const start = async (environment: Record<string, string>) => {
    const server = await TestServer.start(environment);
    servers.push(server);
    return server;
  };
  const chatOf = (server: TestServer) => server.app.get(RealtimeServer, { strict: false }).namespace('/chat');
  const warnings = (server: TestServer) =>
    server.log.filter((line) => line.includes('does not read fast enough'));

  it('frames, over WebSocket', async () => {
    const server = await start({ SLOW_CONSUMER_BYTES: '1073741824', SLOW_CONSUMER_FRAMES: '1000' });
    const session = await server.register('bob');
    const tap = await WireTap.in(server.url, '/chat', session.accessToken);
    tap.stopReading();
    const content = 'x'.repeat(1000);
    let frames = 0;
    while (chatOf(server).sockets.size > 0 && frames < 1_000_000) {
      chatOf(server)
        .to(userChannel(session.user.id))
        .emit('test:told', (frames += 1), content);
      if (frames % 50 === 0) await turn();
    }
    await counted(server, 'parley_slow_consumers_total', 1);
    // The operating system holds some MB by itself.
    expect(frames).toBeLessThan(50_000);
    expect(warnings(server)).toHaveLength(1);
    tap.close();
  });

  it.each([
    ['bytes', { SLOW_CONSUMER_BYTES: '65536' }, 'x'.repeat(10_000)],
    ['frames', { SLOW_CONSUMER_FRAMES: '100' }, ''],
  ])('%s, of a client that stops polling: its next request tells it', async (_, environment, content) => {
    const server = await start(environment);
    const bob = await server.register('bob');
    const [other] = await server.actors('carol');
    const address = `${server.url}/socket.io/?EIO=4&transport=polling`;
    const poll = async (sid: string) => (await fetch(`${address}&sid=${sid}`)).text();
    const { sid } = JSON.parse((await (await fetch(address)).text()).slice(1)) as { sid: string };
    await fetch(`${address}&sid=${sid}`, {
      method: 'POST',
      body: `40/chat,${JSON.stringify({ token: bob.accessToken })}`,
    });
    for (let text = ''; !text.includes('"session:ready"');) text += await poll(sid);

    const to = chatOf(server).to([userChannel(bob.user.id), userChannel(other.id)]);
    for (let n = 1; n <= 300; n += 1) to.emit('test:told', n, content);
    await counted(server, 'parley_slow_consumers_total', 1);
    const last = await poll(sid);
    expect(last).toMatch(/^42\/chat,\["session:closing",\{[^}]*"code":"SLOW_CONSUMER"[^}]*\}\]/);
    expect(last).toContain('"reconnect":true');
    expect(last).toContain('"retryAfterMs":');
    expect(last).not.toContain('test:told');
    await other.inbox.until(() => other.inbox.all('test:told').length === 300, 'everything, for the other');
    expect(other.inbox.all('session:closing')).toEqual([]);
    expect(warnings(server)).toHaveLength(1);
  });

  it('one answer that is larger than the limit cuts nobody', async () => {
    const server = await start({ SLOW_CONSUMER_BYTES: '65536' });
    for (const transport of ['websocket', 'polling']) {
      const actor = await server.connected(await server.register(`bob-${transport}`), {
        transports: [transport],
      });
      chatOf(server)
        .to(userChannel(actor.id))
        .emit('test:large', 'x'.repeat(5 * MB));
      await actor.inbox.until(() => actor.inbox.all('test:large').length === 1, 'the large one');
      await actor.does('room:positions', { roomIds: [] });
      chatOf(server).in(userChannel(actor.id)).disconnectSockets(true);
      await actor.isDisconnected();
    }
    await counted(server, 'parley_slow_consumers_total', 0);
  });
});

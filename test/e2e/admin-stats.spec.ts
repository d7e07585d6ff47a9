import type { AdminStats, ConnectionInfo } from '../../src/contract/admin.js';
import type { Actor } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';

describe('what administrators see', () => {
  let server: TestServer;
  let root: Actor;
  let alice: Actor;
  let bob: Actor;
  beforeEach(async () => {
    server = await TestServer.start({ MAX_CONNECTIONS_PER_USER: '500' });
    root = await server.administrator();
    [alice, bob] = await server.actors('alice', 'bob');
  });
  afterEach(() => server.stop());

  const told = (count: number) =>
    root.admin.inbox.until(
      () => root.admin.got('admin:stats').length >= count,
      `${String(count)} statistics`,
    );
  const sum = (of: (stats: AdminStats) => number, from = 1) =>
    root.admin
      .got('admin:stats')
      .slice(from)
      .reduce((total, stats) => total + of(stats), 0);

  it('statistics come on connect and every 2 s, with the traffic in between', async () => {
    const roomId = await alice.startsDirectWith(bob);
    await root.admin.connect();
    const startedAt = Date.now();
    for (let index = 0; index < 10; index++) await alice.sends(roomId, `message ${String(index)}`);
    await alice.refused('message:edit', { messageId: '01890000-0000-7000-8000-000000000000', content: 'x' });
    await bob.inbox.until(() => bob.got('message:new').length === 10, 'all messages');
    await told(3);
    // Two intervals of 2 s: neither a burst nor silence.
    expect(Date.now() - startedAt).toBeGreaterThan(3500);
    expect(Date.now() - startedAt).toBeLessThan(6500);

    const [first, second, third] = root.admin.got('admin:stats');
    const seconds = (from?: AdminStats, to?: AdminStats) =>
      (Date.parse(to?.at ?? '') - Date.parse(from?.at ?? '')) / 1000;
    const messages = Math.round((second?.messagesPerSecond ?? 0) * seconds(first, second));
    expect(messages).toBe(10);
    // Each message to both people; the sender's read states and the administrator's statistics come on top.
    const deliveries = (second?.deliveriesPerSecond ?? 0) * seconds(first, second);
    expect(deliveries).toBeGreaterThanOrEqual(19.9);
    expect(deliveries).toBeLessThan(60);
    expect(Math.round((second?.commandsPerSecond ?? 0) * seconds(first, second))).toBe(11);
    expect(second?.errors).toEqual({ NOT_FOUND: 1 });
    expect(second?.ackMs?.p50).toBeGreaterThan(0);
    expect(second?.ackMs?.p99).toBeGreaterThanOrEqual(second?.ackMs?.p50 ?? Infinity);
    // Nothing of it is told twice.
    expect(third).toMatchObject({ messagesPerSecond: 0, commandsPerSecond: 0, ackMs: null, errors: {} });
    expect(sum(({ errors }) => errors.NOT_FOUND ?? 0)).toBe(1);

    expect(second).toMatchObject({ nodes: 1, transports: 3, users: 3, rooms: 1 });
    expect(second?.connections).toMatchObject({ '/chat': 3, '/admin': 1 });
    expect(second?.pool.size).toBeGreaterThan(0);
    expect(second?.memory.heapUsedBytes).toBeGreaterThan(1e6);
    expect(second?.eventLoopDelayMs.mean).toBeGreaterThanOrEqual(0);
    expect(second?.eventLoopDelayMs.mean).toBeLessThan(1000);
    expect(second?.queued.writes).toBe(0);
  });

  it('the event loop delay tells of a server that was held up', async () => {
    await root.admin.connect();
    await root.admin.receives('admin:stats');
    // One tick in a hundred may be late without p99 telling of it.
    for (let stall = 0; stall < 5; stall++) {
      const until = performance.now() + 100;
      while (performance.now() < until) Math.sqrt(until);
      await new Promise(setImmediate);
    }
    await told(2);
    const [, second] = root.admin.got('admin:stats');
    expect(second?.eventLoopDelayMs.p99).toBeGreaterThan(50);
  });

  it('who comes back gets statistics again: the timer starts and stops with those who watch', async () => {
    await root.admin.connect();
    await told(2);
    root.admin.disconnect();
    const tablet = await server.connected(root.session);
    await tablet.admin.connect();
    await tablet.admin.inbox.until(
      () => tablet.admin.got('admin:stats').length >= 2,
      'statistics on the tablet',
    );
    expect(root.admin.inbox.all('disconnect')).toHaveLength(1);
  });

  it('the REST twin answers the same, and several who ask do not shorten the interval', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => root.rest('GET', '/admin/stats')));
    const { body } = answers[0] as { body: AdminStats };
    expect(body).toMatchObject({ nodes: 1, users: 3, connections: { '/chat': 3 } });
    for (const answer of answers) expect(answer).toMatchObject({ status: 200, body: { users: 3 } });
    expect((await root.rest('GET', '/admin/stats')).body).toEqual(answers.at(-1)?.body);
  });

  it('a connection is one entry with its namespaces, address and times', async () => {
    await root.admin.connect();
    const { connections } = await root.admin.does('connection:list', {});
    expect(connections.map(({ username }) => username).sort()).toEqual(['alice', 'bob', 'root']);
    const own = connections.find(({ userId }) => userId === root.id);
    expect(own).toMatchObject({
      username: 'root',
      namespaces: ['/admin', '/chat'],
      transport: 'websocket',
      address: '127.0.0.1',
    });
    expect(Date.parse(own?.connectedAt ?? '')).toBeGreaterThan(Date.now() - 60_000);
    expect(Date.parse(own?.activeAt ?? '')).toBeGreaterThanOrEqual(Date.parse(own?.connectedAt ?? ''));
    expect(await root.admin.does('connection:list', { userId: bob.id })).toMatchObject({
      connections: [{ userId: bob.id }],
    });
    expect(await root.admin.does('connection:list', { userId: 'nobody' })).toEqual({
      status: 'ok',
      connections: [],
    });
  });

  it('connections come by page, each once', async () => {
    const devices = await Promise.all(Array.from({ length: 230 }, () => server.connected(bob.session)));
    const seen: ConnectionInfo[] = [];
    const sizes: number[] = [];
    let cursor: string | undefined;
    await root.admin.connect();
    do {
      const page = await root.admin.does('connection:list', { userId: bob.id, ...(cursor && { cursor }) });
      seen.push(...page.connections);
      sizes.push(page.connections.length);
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(sizes).toEqual([100, 100, 31]);
    const ids = seen.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].sort());
    const { body } = await root.rest('GET', `/admin/connections?userId=${bob.id}`);
    expect(body).toMatchObject({ cursor: ids[99], hasMore: true });
    for (const device of devices) device.disconnect();
  });

  it('the address is the one the proxies tell, when they are trusted', async () => {
    const behind = await TestServer.start({ TRUST_PROXY: '1' });
    try {
      const boss = await behind.administrator();
      const fay = behind.actor(await behind.register('fay'));
      fay.socket.io.opts.extraHeaders = { 'x-forwarded-for': '203.0.113.7, 198.51.100.9' };
      await fay.connect();
      await boss.admin.connect();
      expect(await boss.admin.does('connection:list', { userId: fay.id })).toMatchObject({
        connections: [{ address: '198.51.100.9' }],
      });
    } finally {
      await behind.stop();
    }
  });
});

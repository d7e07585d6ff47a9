import type { AdminStats, ConnectionInfo } from '../../src/contract/admin.js';
import type { Actor } from '../harness/actor.js';
import { createTestDatabase, type TestDatabase } from '../harness/database.js';
import { Intruder } from '../harness/intruder.js';
import { TestServer } from '../harness/server.js';
import { onPostgres } from '../harness/writer-fixture.js';

describe('what administrators see', () => {
  let database: TestDatabase;
  let server: TestServer;
  let root: Actor;
  let alice: Actor;
  let bob: Actor;
  beforeEach(async () => {
    database = await createTestDatabase();
    server = await TestServer.start({ MAX_CONNECTIONS_PER_USER: '500' }, database);
    root = await server.administrator();
    [alice, bob] = await server.actors('alice', 'bob');
  });
  afterEach(async () => {
    await server.stop();
    await database.drop();
  });

  const told = (count: number) =>
    root.admin.inbox.until(
      () => root.admin.got('admin:stats').length >= count,
      `${String(count)} statistics`,
    );
  /** Of what came since the first statistics: a rate times the time it is of. */
  function total(rate: (stats: AdminStats) => number): number {
    const all = root.admin.got('admin:stats');
    const amounts = all.slice(1).map((stats, index) => {
      const seconds = (Date.parse(stats.at) - Date.parse(all[index]!.at)) / 1000;
      return rate(stats) * seconds;
    });
    return amounts.reduce((sum, amount) => sum + amount, 0);
  }

  it('statistics come on connect and every 2 s, with the traffic in between', async () => {
    const roomId = await alice.startsDirectWith(bob);
    await root.admin.connect();
    for (let index = 0; index < 10; index++) await alice.sends(roomId, `message ${String(index)}`);
    await alice.refused('message:edit', { messageId: '01890000-0000-7000-8000-000000000000', content: 'x' });
    await bob.inbox.until(() => bob.got('message:new').length === 10, 'all messages');
    // What is sent by now is in the next ones, and nothing of it in those after them.
    const busy = root.admin.got('admin:stats').length + 1;
    await told(busy + 1);
    const all = root.admin.got('admin:stats');
    const [before, after] = all.slice(-2);
    expect(Date.parse(after!.at) - Date.parse(before!.at)).toBeGreaterThan(1900);

    expect(Math.round(total(({ messagesPerSecond }) => messagesPerSecond))).toBe(10);
    expect(Math.round(total(({ commandsPerSecond }) => commandsPerSecond))).toBe(11);
    // Each message to both people; the sender's read states and the administrator's statistics come on top.
    const deliveries = total(({ deliveriesPerSecond }) => deliveriesPerSecond);
    expect(deliveries).toBeGreaterThanOrEqual(19.9);
    expect(deliveries).toBeLessThan(60);
    expect(all.slice(1).flatMap(({ errors }) => Object.entries(errors))).toEqual([['NOT_FOUND', 1]]);
    const acks = all.slice(1).flatMap(({ ackMs }) => ackMs ?? []);
    for (const { p50, p99 } of acks) {
      expect(p50).toBeGreaterThan(0);
      expect(p99).toBeGreaterThanOrEqual(p50);
    }
    expect(acks.length).toBeGreaterThan(0);
    expect(after).toMatchObject({ messagesPerSecond: 0, commandsPerSecond: 0, ackMs: null, errors: {} });

    expect(after).toMatchObject({ nodes: 1, transports: 3, users: 3, rooms: 1 });
    expect(after?.connections).toMatchObject({ '/chat': 3, '/admin': 1 });
    expect(after?.pool.size).toBeGreaterThan(0);
    expect(after?.memory.heapUsedBytes).toBeGreaterThan(1e6);
    expect(after?.eventLoopDelayMs.mean).toBeGreaterThanOrEqual(0);
    expect(after?.eventLoopDelayMs.mean).toBeLessThan(1000);
    expect(after?.queued.writes).toBe(0);
  });

  /** The first statistics waited for the database as long as it took, just when they are needed most. */
  (onPostgres() ? it : it.skip)(
    'the first ones come while the database does not tell what waits in it',
    async () => {
      const intruder = await Intruder.at(database);
      await intruder.holds('LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE', [], async () => {
        const askedAt = performance.now();
        expect(await root.rest('GET', '/admin/stats')).toMatchObject({
          status: 200,
          body: { users: 3, queued: { outbox: 0, jobs: 0 } },
        });
        await root.admin.connect();
        // The database gives up on the question after 15 s.
        expect(performance.now() - askedAt).toBeLessThan(5000);
      });
      await intruder.leave();
    },
  );

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

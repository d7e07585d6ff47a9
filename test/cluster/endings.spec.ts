import type { Actor } from '../harness/actor.js';
import { createTestDatabase, type TestDatabase } from '../harness/database.js';
import { TestRedis } from '../harness/redis.js';
import { TestServer } from '../harness/server.js';
import { onPostgres } from '../harness/writer-fixture.js';

/** What ends on one node ends on all of them, with Redis or without: it is a row in Postgres. */
(onPostgres() && TestRedis.isInstalled() ? describe : describe.skip)('on two nodes', () => {
  let database: TestDatabase;
  let redis: TestRedis;
  let here: TestServer;
  let there: TestServer;
  let root: Actor;
  let rooms = 0;

  beforeAll(async () => {
    [database, redis] = await Promise.all([createTestDatabase(), TestRedis.start()]);
    here = await TestServer.start({ REDIS_URL: redis.url }, database);
    there = await TestServer.start({ REDIS_URL: redis.url }, database);
    root = await here.administrator();
  });
  afterAll(async () => {
    await Promise.all([here.stop(), there.stop()]);
    await Promise.all([database.drop(), redis.stop()]);
  });

  /** Somebody with a device on the other node. */
  async function somebody(
    name: string,
  ): Promise<{ session: Awaited<ReturnType<TestServer['register']>>; far: Actor }> {
    const session = await here.register(name);
    return { session, far: await there.connected(session) };
  }

  describe.each(['with', 'without'])('%s Redis', (redisIs) => {
    beforeAll(async () => {
      if (redisIs === 'without') await redis.kill();
    });
    afterAll(async () => {
      if (redisIs === 'without') await redis.restart();
    });

    it('a session that is signed out closes its sockets everywhere', async () => {
      const { session, far } = await somebody(`out-${redisIs}`);
      const near = await here.connected(session);
      expect((await near.rest('POST', '/auth/logout')).status).toBe(204);
      await far.receives('session:closing', { code: 'SESSION_REVOKED' });
      await far.isDisconnected();
    });

    it('an account that is suspended is thrown out everywhere', async () => {
      const { far } = await somebody(`suspended-${redisIs}`);
      await root.rest('POST', `/admin/users/${far.id}/suspend`, { reason: 'x' });
      await far.receives('session:closing', { code: 'SUSPENDED' });
    });

    it('who is kicked on one node hears nothing on another', async () => {
      const { far } = await somebody(`kicked-${redisIs}`);
      const roomId = `room-${String(++rooms)}`;
      await root.does('room:create', { roomId, name: roomId, type: 'private', memberIds: [far.id] });
      await far.does('room:join', { roomId });
      await root.does('room:kick', { roomId, userId: far.id });
      await far.receives('room:removed', { roomId, reason: 'kicked' });
      expect(far.got('room:removed')).toHaveLength(1);
    });

    it('who is added on one node hears it on another', async () => {
      const { far } = await somebody(`added-${redisIs}`);
      const roomId = `room-${String(++rooms)}`;
      await root.does('room:create', { roomId, name: roomId, type: 'private' });
      await root.does('room:invite', { roomId, userId: far.id });
      await far.receives('room:added', { room: { id: roomId } });
    });

    it('who loses the role of an administrator leaves /admin everywhere', async () => {
      const { far } = await somebody(`demoted-${redisIs}`);
      await root.rest('PUT', `/admin/users/${far.id}/role`, { role: 'admin', reason: 'x' });
      const again = await there.connected(await there.login(`demoted-${redisIs}`));
      await again.admin.connect();
      await root.rest('PUT', `/admin/users/${far.id}/role`, { role: 'user', reason: 'x' });
      await again.admin.receives('session:closing', { code: 'ROLE_CHANGED' });
    });
  });
});

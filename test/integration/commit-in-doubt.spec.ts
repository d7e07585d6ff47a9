import type { Actor } from '../harness/actor.js';
import { DatabaseProxy } from '../harness/database-proxy.js';
import { createTestDatabase, type TestDatabase } from '../harness/database.js';
import { TestServer } from '../harness/server.js';
import { onPostgres } from '../harness/writer-fixture.js';

const ENDS_MEMBERSHIP = /DELETE FROM "room_members"/;
const ENDS_SESSION = /UPDATE "sessions"/;

/**
 * When the answer to COMMIT was lost, the unit of work threw and forgot the facts it had raised: somebody who was kicked,
 * left or signed out in such a moment stayed subscribed, and read on.
 */
(onPostgres() ? describe : describe.skip)('a COMMIT in doubt', () => {
  let database: TestDatabase;
  let proxy: DatabaseProxy;
  let server: TestServer;
  let alice: Actor;
  let bob: Actor;
  let rooms = 0;

  beforeAll(async () => {
    database = await createTestDatabase();
    proxy = await DatabaseProxy.before(database.databaseUrl!);
    server = await TestServer.start({ DATABASE_URL: proxy.url }, database);
    [alice, bob] = await server.actors('alice', 'bob');
  });
  afterAll(async () => {
    await server.stop();
    await proxy.stop();
    await database.drop();
  });

  async function sharedRoom(): Promise<string> {
    const roomId = `room-${String(++rooms)}`;
    await alice.does('room:create', { roomId, name: roomId, type: 'public', memberIds: [bob.id] });
    // Of the creation nothing is under way any more when the fault comes.
    await Promise.all([alice, bob].map((actor) => actor.receives('room:read-state', { roomId })));
    return roomId;
  }

  async function hears(actor: Actor, roomId: string, writer: Actor): Promise<boolean> {
    const { messageId } = await writer.sends(roomId, 'who is there?');
    await writer.receives('message:new', { id: messageId });
    // The next answer on the same road proves that nothing is still on its way.
    await actor.does('room:list', {});
    return actor.got('message:new').some(({ id }) => id === messageId);
  }

  it('that ended a membership is told to the one who was kicked', async () => {
    const roomId = await sharedRoom();
    const hit = proxy.breakNextCommit('lose-answer', ENDS_MEMBERSHIP);
    await alice.does('room:kick', { roomId, userId: bob.id });
    await hit;
    await bob.receives('room:removed', { roomId, reason: 'kicked' });
    expect(await hears(bob, roomId, alice)).toBe(false);
  });

  it('that ended a membership is told to the one who left', async () => {
    const roomId = await sharedRoom();
    const hit = proxy.breakNextCommit('lose-answer', ENDS_MEMBERSHIP);
    await bob.does('room:leave', { roomId });
    await hit;
    expect(await hears(bob, roomId, alice)).toBe(false);
  });

  it('that ended a session closes its sockets', async () => {
    const session = await server.login('bob');
    const device = await server.connected(session);
    const hit = proxy.breakNextCommit('lose-answer', ENDS_SESSION);
    expect((await device.rest('POST', '/auth/logout')).status).toBe(204);
    await hit;
    await device.receives('session:closing', { code: 'SESSION_REVOKED', reconnect: false });
  });

  it.each(['lose-commit', 'strand'] as const)(
    'that did not happen (%s) is refused, and may be repeated at once',
    async (fault) => {
      const roomId = await sharedRoom();
      const hit = proxy.breakNextCommit(fault, ENDS_MEMBERSHIP);
      expect(await alice.refused('room:kick', { roomId, userId: bob.id })).toMatchObject({
        code: 'UNAVAILABLE',
      });
      await hit;
      expect(await hears(bob, roomId, alice)).toBe(true);
      // A stranded session would still hold the lock on the room.
      await alice.does('room:kick', { roomId, userId: bob.id });
      await bob.receives('room:removed', { roomId, reason: 'kicked' });
    },
  );
});

import type { Message } from '../../src/contract/views.js';
import { RoomBus } from '../../src/platform/cluster/room-bus.js';
import type { Actor } from '../harness/actor.js';
import { createTestDatabase, type TestDatabase } from '../harness/database.js';
import { TestRedis } from '../harness/redis.js';
import { TestServer } from '../harness/server.js';
import { onPostgres } from '../harness/writer-fixture.js';

const CHANGES = ['message:new', 'message:updated', 'message:deleted'];

/** Two nodes need a database both can reach, and a Redis. */
(onPostgres() && TestRedis.isInstalled() ? describe : describe.skip)('a room on two nodes', () => {
  let database: TestDatabase;
  let redis: TestRedis;
  let here: TestServer;
  let there: TestServer;
  let alice: Actor;
  let bob: Actor;
  let rooms = 0;

  beforeAll(async () => {
    [database, redis] = await Promise.all([createTestDatabase(), TestRedis.start()]);
    here = await TestServer.start({ REDIS_URL: redis.url }, database);
    there = await TestServer.start({ REDIS_URL: redis.url }, database);
    [alice] = await here.actors('alice');
    [bob] = await there.actors('bob');
  });
  afterAll(async () => {
    await Promise.all([here.stop(), there.stop()]);
    await Promise.all([database.drop(), redis.stop()]);
  });

  /** Both have joined it, so both nodes are subscribed. */
  async function sharedRoom(): Promise<string> {
    const roomId = `room-${String(++rooms)}`;
    await alice.does('room:create', { roomId, name: roomId, type: 'public', memberIds: [bob.id] });
    await bob.does('room:join', { roomId });
    return roomId;
  }

  /** The `rev`s somebody was told of a room. */
  function toldOf(actor: Actor, roomId: string): number[] {
    return actor.inbox.events
      .filter(({ event }) => CHANGES.includes(event))
      .map(({ payload }) => payload as Message)
      .filter((message) => message.roomId === roomId)
      .map(({ rev }) => rev);
  }

  async function isTold(actor: Actor, roomId: string, revs: number): Promise<void> {
    const all = () => toldOf(actor, roomId).length >= revs;
    await actor.inbox.until(all, `${String(revs)} changes of ${roomId}`);
    const ordered = toldOf(actor, roomId).sort((a, b) => a - b);
    expect(ordered).toEqual(Array.from({ length: revs }, (_, index) => index + 1));
  }

  it('tells everybody everything once, whoever wrote it where', async () => {
    const roomId = await sharedRoom();
    for (let round = 0; round < 20; round++)
      await Promise.all([alice, bob, alice].map((actor, index) => actor.sends(roomId, `${round}/${index}`)));
    const { messageId } = await bob.sends(roomId, 'to be changed');
    await bob.does('message:edit', { messageId, content: 'changed' });
    await alice.does('message:react', { messageId, emoji: '👍', on: true });
    await bob.does('message:delete', { messageId });
    for (const actor of [alice, bob]) await isTold(actor, roomId, 64);
    expect(await alice.receives('message:updated', { id: messageId })).toMatchObject({ content: 'changed' });
    await alice.receives('message:deleted', { id: messageId });
  });

  it('is heard by who is added to it on another node, and not by who was removed there', async () => {
    const roomId = `room-${String(++rooms)}`;
    await alice.does('room:create', { roomId, name: roomId, type: 'private' });
    await alice.does('room:invite', { roomId, userId: bob.id });
    await bob.receives('room:added', { room: { id: roomId } });
    const first = await alice.sends(roomId, 'welcome');
    await bob.receives('message:new', { id: first.messageId });
    await alice.does('room:kick', { roomId, userId: bob.id });
    await bob.receives('room:removed', { roomId });
    const second = await alice.sends(roomId, 'he is gone');
    await alice.receives('message:new', { id: second.messageId });
    await bob.does('room:list', {});
    expect(bob.got('message:new').some(({ id }) => id === second.messageId)).toBe(false);
  });

  it('carries typing and signals, which are nowhere stored', async () => {
    const roomId = await sharedRoom();
    await alice.does('typing:start', { roomId });
    await bob.receives('typing:update', { roomId });
    await alice.does('room:signal', { roomId, kind: 'wave', data: 'hello' });
    await bob.receives('room:signal', { roomId, kind: 'wave' });
  });

  /** A packet that is lost leaves a hole that the next one shows; the last of all is found when positions are compared. */
  it('reads from the log what a lost packet leaves out', async () => {
    const roomId = await sharedRoom();
    await alice.sends(roomId, 'heard');
    const bus = here.app.get(RoomBus, { strict: false });
    const lost = jest.spyOn(bus, 'publish').mockImplementationOnce(() => undefined);
    await alice.sends(roomId, 'lost on the way');
    expect(lost).toHaveBeenCalledTimes(1);
    lost.mockRestore();
    await alice.sends(roomId, 'shows the hole');
    await isTold(bob, roomId, 3);
    expect(bob.got('message:new').filter((message) => message.roomId === roomId)).toHaveLength(3);
  });

  it('goes on without Redis, and is complete everywhere when Redis is back', async () => {
    const roomId = await sharedRoom();
    await alice.sends(roomId, 'before');
    await redis.kill();
    for (let index = 0; index < 10; index++) await alice.sends(roomId, `without ${String(index)}`);
    await bob.sends(roomId, 'mine too');
    await isTold(alice, roomId, 11);
    expect(await (await fetch(`${here.url}/health`)).json()).toMatchObject({
      status: 'degraded',
      redis: 'down',
    });
    // His own message shows bob's node the hole before it; alice's finds his when positions are compared.
    for (const actor of [bob, alice])
      await actor.inbox.until(() => toldOf(actor, roomId).length === 12, 'all without Redis', 20_000);
    await redis.restart();
    for (const actor of [alice, bob]) await isTold(actor, roomId, 12);
    await bob.sends(roomId, 'after');
    for (const actor of [alice, bob]) await isTold(actor, roomId, 13);
  }, 40_000);

  /** What another node commits between the log that is read and the subscription would be heard by nobody. */
  it('is subscribed to before who joins reads what was said', async () => {
    const roomId = `room-${String(++rooms)}`;
    await alice.does('room:create', { roomId, name: roomId, type: 'public' });
    const bus = there.app.get(RoomBus, { strict: false });
    let subscribe: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (subscribe = resolve));
    const hosting = jest.spyOn(bus, 'host').mockReturnValue(gate);
    let isAnswered = false;
    const joining = bob.does('room:join', { roomId }).finally(() => (isAnswered = true));
    await bob.receives('room:user-joined', { roomId });
    await bob.does('room:list', {});
    expect(isAnswered).toBe(false);
    const { messageId } = await alice.sends(roomId, 'in between');
    hosting.mockRestore();
    subscribe();
    expect((await joining).history?.messages.map(({ id }) => id)).toEqual([messageId]);
  });

  /** An acknowledgement that does not come is an error after 10 s. */
  it('does not wait for ever for a Redis that takes everything and answers nothing', async () => {
    const roomId = await sharedRoom();
    redis.freeze();
    try {
      for (let index = 0; index < 10; index++) await alice.sends(roomId, String(index));
      await alice.does('room:create', { roomId: 'frozen', name: 'frozen', type: 'public' });
      await bob.does('room:join', { roomId: 'frozen' });
    } finally {
      redis.thaw();
    }
    await isTold(bob, roomId, 10);
  });

  it('refuses to start with a Redis that is not there, unless told that it is optional', async () => {
    const nowhere = { REDIS_URL: 'redis://127.0.0.1:9' };
    await expect(TestServer.start(nowhere, database)).rejects.toThrow(/Cannot use Redis at 127.0.0.1:9/);
    const server = await TestServer.start({ ...nowhere, REDIS_OPTIONAL: 'true' }, database);
    await server.stop();
  });
});

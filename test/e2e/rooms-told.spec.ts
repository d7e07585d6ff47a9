import type { Room } from '../../src/contract/views.js';
import { RoomSubscriptions } from '../../src/platform/realtime/room-subscriptions.js';
import type { Actor } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';

describe('what people are told of rooms', () => {
  let server: TestServer;
  let alice: Actor, bob: Actor, carol: Actor;
  beforeAll(async () => {
    server = await TestServer.start();
    [alice, bob, carol] = await server.actors('alice', 'bob', 'carol');
  });
  afterAll(() => server.stop());

  /** `room:updated` of a direct room carried one view for all, and with it the name "". */
  it('a frozen direct room keeps its name, a different one for each', async () => {
    const { room } = await alice.does('room:create', { type: 'direct', memberIds: [bob.id, carol.id] });
    const root = await server.administrator();
    const { status } = await root.rest('PUT', `/admin/rooms/${room.id}/freeze`, { reason: 'Heated' });
    expect(status).toBe(204);
    const told = await Promise.all(
      [alice, bob, carol].map((actor) => actor.receives('room:updated', { room: { id: room.id } })),
    );
    expect(told.map((event) => event.room.name)).toEqual(['bob, carol', 'alice, carol', 'alice, bob']);
    for (const event of told) expect(event.room.frozenAt).toBeDefined();
  });

  /** One after the other through the whole server, with three statements each: a large room held up all others. */
  it('everybody added at once gets the room with their role, in any number of rooms at once', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        alice.does('room:create', {
          roomId: `crowd-${String(index)}`,
          name: 'Crowd',
          type: 'private',
          memberIds: [bob.id, carol.id],
        }),
      ),
    );
    for (let index = 0; index < 20; index++)
      for (const actor of [bob, carol])
        await actor.receives('room:added', { room: { id: `crowd-${String(index)}`, role: 'member' } });
    expect(alice.got('room:added')).toEqual([]);
    expect(bob.got('room:added').filter(({ room }) => room.type === 'private')).toHaveLength(20);
  });

  /** Each view of a room walked all its sockets for this one number. */
  it('who is online is counted by users, along every way in and out', async () => {
    const subscriptions = server.app.get(RoomSubscriptions, { strict: false });
    const online = async () => ((await alice.rest('GET', '/rooms/counted')).body as Room).members.online;
    await alice.does('room:create', {
      roomId: 'counted',
      name: 'Counted',
      type: 'public',
      memberIds: [bob.id],
    });
    await bob.receives('room:added', { room: { id: 'counted' } });
    expect(await online()).toBe(2);
    // Two devices are one user, until both are gone.
    const phone = await server.connected(bob.session);
    await phone.does('room:join', { roomId: 'counted' });
    await phone.does('room:join', { roomId: 'counted' });
    expect(subscriptions.usersIn('counted')).toEqual(new Set([alice.id, bob.id]));
    phone.disconnect();
    await carol.does('room:join', { roomId: 'counted' });
    expect(await online()).toBe(3);
    await alice.does('room:kick', { roomId: 'counted', userId: bob.id });
    await carol.does('room:leave', { roomId: 'counted' });
    expect(await online()).toBe(1);
  });

  it('and nothing is kept of rooms without anybody', async () => {
    const quiet = await TestServer.start();
    try {
      const [dora, emil] = await quiet.actors('dora', 'emil');
      await dora.does('room:create', { roomId: 'gone', name: 'Gone', type: 'public', memberIds: [emil.id] });
      await emil.receives('room:added', { room: { id: 'gone' } });
      await emil.does('room:leave', { roomId: 'gone' });
      dora.disconnect();
      const { users } = quiet.app.get<unknown>(RoomSubscriptions, { strict: false }) as {
        users: Map<string, unknown>;
      };
      while (users.size > 0) await emil.does('room:list', {});
    } finally {
      await quiet.stop();
    }
  });
});

import { DataSource } from 'typeorm';
import type { Presence } from '../../src/contract/presence.js';
import type { Page } from '../../src/contract/rest.js';
import { DomainEvents } from '../../src/platform/events/domain-events.js';
import { PresenceChanged } from '../../src/presence/presence.events.js';
import { PresenceRepository } from '../../src/presence/presence.repository.js';
import { PresenceStore } from '../../src/presence/presence.store.js';
import { Roster } from '../../src/presence/roster.service.js';
import type { Actor } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';

/** Every state of somebody that the socket was told in differences. */
const told = (watcher: Actor, whom: Actor) =>
  watcher.presence
    .got('presence:update')
    .flatMap(({ users }) => users)
    .filter(({ userId }) => userId === whom.id);

const isTold = (watcher: Actor, whom: Actor, fields: Partial<Presence>) =>
  watcher.presence.inbox.until(
    () =>
      told(watcher, whom).some((state) =>
        Object.entries(fields).every(([key, value]) => state[key as keyof Presence] === value),
      ),
    `${whom.user.username} as ${JSON.stringify(fields)}`,
  );

describe('presence when something fails', () => {
  let server: TestServer;
  let repository: PresenceRepository;
  let rooms = 0;
  beforeAll(async () => {
    server = await TestServer.start({ PRESENCE_OFFLINE_MS: '200' });
    repository = server.app.get(PresenceRepository);
  });
  afterEach(() => jest.restoreAllMocks());
  afterAll(() => server.stop());

  /** The first one watches the others, with whom a room of its own is shared. */
  async function together(...names: string[]): Promise<{ roomId: string; people: Actor[] }> {
    const people = await server.actors(...names);
    const roomId = `room-${String((rooms += 1))}`;
    const [owner, ...others] = people as [Actor, ...Actor[]];
    await owner.does('room:join', { roomId, roomName: roomId });
    for (const other of others) await other.does('room:join', { roomId });
    await owner.presence.connect();
    await owner.presence.does('presence:watch', { userIds: others.map(({ id }) => id) });
    return { roomId, people };
  }

  /**
   * The database stalls while somebody goes offline. Nobody else will ever tell it, so the others hear of it although
   * it cannot be stored yet; the time is stored when the database is back.
   */
  it('tells that somebody went although it cannot be stored for long', async () => {
    const { people } = await together('stall-ann', 'stall-ben');
    const [ann, ben] = people as [Actor, Actor];
    const save = repository.saveLastSeen.bind(repository);
    let release = (): void => undefined;
    const stalled = new Promise<void>((resolve) => (release = resolve));
    const saves = jest.spyOn(repository, 'saveLastSeen').mockImplementationOnce(async (...input) => {
      await stalled;
      return save(...input);
    });
    ben.disconnect();
    await isTold(ann, ben, { status: 'offline' });
    expect(saves).toHaveBeenCalledTimes(1);
    release();
    await saves.mock.results[0]!.value;
    // Queues behind the save, which commits after the call above.
    await server.app
      .get(Roster)
      .announce([{ userId: 'nobody', status: 'offline', version: 0, lastSeenAt: Date.now() }]);
    const { body } = await ann.rest('GET', `/presence?userIds=${ben.id}`);
    expect((body as Page<Presence>).data).toEqual(told(ann, ben));
  });

  /** Another node died, and the database fails as its users are read: their change is told as soon as they can be. */
  it('tells the changes of users of other nodes later when they could not be read', async () => {
    const { people } = await together('lost-ann', 'lost-ben');
    const [ann] = people as [Actor, Actor];
    const cat = server.actor(await server.register('lost-cat'));
    await server.app
      .get(DataSource)
      .query(
        `INSERT INTO room_members (room_id, user_id, role) SELECT room_id, $1, 'member' FROM room_members WHERE user_id = $2`,
        [cat.id, ann.id],
      );
    await ann.presence.does('presence:watch', { userIds: [cat.id] });
    const changes = await server.app
      .get(PresenceStore)
      .report('another node', [{ userId: cat.id, deviceId: 'of another node', status: 'online' }]);
    const roster = server.app.get(Roster);
    const read = jest.spyOn(repository, 'read').mockRejectedValueOnce(new Error('connection lost'));
    await roster.announce(changes);
    expect(read).toHaveBeenCalledTimes(1);
    await roster.announce([]);
    await isTold(ann, cat, { status: 'online' });
  });

  /** Somebody is kicked, and it cannot be read who they share a room with: whoever they can still see, it is too late to hide. */
  it('shows nobody any more of whom it is not known whether they may be seen', async () => {
    const { roomId, people } = await together('shut-ann', 'shut-ben', 'shut-cat');
    const [ann, ben, cat] = people as [Actor, Actor, Actor];
    await ben.startsDirectWith(cat);
    await ben.presence.connect();
    await ben.presence.does('presence:watch', { userIds: [ann.id] });
    jest.spyOn(repository, 'sharing').mockRejectedValueOnce(new Error('connection lost'));
    await ann.does('room:kick', { roomId, userId: ben.id });
    for (const [watcher, gone] of [
      [ben, [ann.id, cat.id]],
      [ann, [ben.id]],
    ] as const) {
      await watcher.presence.receives('presence:removed');
      const removed = watcher.presence.got('presence:removed').flatMap(({ userIds }) => userIds);
      expect(removed.sort()).toEqual([...gone].sort());
    }
    await ben.presence.does('presence:watch', { userIds: [cat.id] });
    await ann.rest('PUT', '/presence', { status: 'busy', text: 'secret' });
    await cat.rest('PUT', '/presence', { status: 'busy', text: 'fence' });
    await isTold(ben, cat, { text: 'fence' });
    expect(told(ben, ann)).toEqual([]);
  });

  /** A room outgrows presence. Who watches its people again does not find them in the list, and hears nothing of them. */
  it('ends what was watched when a later list is without them', async () => {
    const { roomId, people } = await together('grow-ann', 'grow-ben', 'grow-cat');
    const [ann, ben, cat] = people as [Actor, Actor, Actor];
    await ann.startsDirectWith(cat);
    await server.app.get(DataSource).query(`UPDATE rooms SET member_count = 1001 WHERE id = $1`, [roomId]);
    await ann.presence.does('presence:watch', { userIds: [ben.id] });
    expect(ann.presence.got('presence:list').at(-1)).toEqual({ users: [], of: 'watched' });
    expect(ann.presence.got('presence:removed')).toEqual([{ userIds: [ben.id] }]);
    await ben.rest('PUT', '/presence', { status: 'busy', text: 'secret' });
    await cat.rest('PUT', '/presence', { status: 'busy', text: 'fence' });
    await isTold(ann, cat, { text: 'fence' });
    expect(told(ann, ben)).toEqual([]);
  });

  /** Somebody comes and goes invisibly, and is visible afterwards: what they hid does not show then. */
  it('never shows when somebody invisible was there', async () => {
    const { people } = await together('hide-ann', 'hide-ben');
    const [ann, ben] = people as [Actor, Actor];
    await ben.rest('PUT', '/presence', { status: 'invisible' });
    await isTold(ann, ben, { status: 'offline' });
    const gone = new Promise<void>((resolve) =>
      server.app.get(DomainEvents).on(PresenceChanged, ({ states }) => {
        if (states.some(({ userId, availability }) => userId === ben.id && availability.status === 'offline'))
          resolve();
      }),
    );
    ben.disconnect();
    await gone;
    await ben.rest('PUT', '/presence', { status: 'online' });
    const { body } = await ann.rest('GET', `/presence?userIds=${ben.id}`);
    const hidden = { userId: ben.id, username: 'hide-ben', status: 'offline' };
    expect((body as Page<Presence>).data).toEqual([hidden]);
    expect(told(ann, ben).at(-1)).toEqual(hidden);
  });
});

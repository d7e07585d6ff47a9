import { DataSource } from 'typeorm';
import { MemberList } from '../../src/rooms/member-list.service.js';
import type { OwnPresence, Presence } from '../../src/contract/presence.js';
import type { Page } from '../../src/contract/rest.js';
import type { Member, Room } from '../../src/contract/views.js';
import { DomainEvents } from '../../src/platform/events/domain-events.js';
import { OwnPresences } from '../../src/presence/own-presence.service.js';
import { PresenceList } from '../../src/presence/presence-list.service.js';
import { PresenceChanged } from '../../src/presence/presence.events.js';
import { PresenceStore } from '../../src/presence/presence.store.js';
import type { Actor } from '../harness/actor.js';
import { createTestDatabase } from '../harness/database.js';
import { TestServer } from '../harness/server.js';

const OFFLINE_MS = 300;

/** What the socket knows of the users now, by the rule of docs/protocol.md. */
function seenBy(watcher: Actor): Map<string, Presence> {
  const known = new Map<string, Presence>();
  for (const { event, payload } of watcher.presence.inbox.events) {
    if (event === 'presence:list' || event === 'presence:update')
      for (const user of (payload as { users: Presence[] }).users) known.set(user.userId, user);
    if (event === 'presence:removed')
      for (const userId of (payload as { userIds: string[] }).userIds) known.delete(userId);
  }
  return known;
}

async function sees(watcher: Actor, whom: Actor, fields: Partial<Presence>): Promise<Presence> {
  const holds = () => {
    const seen = seenBy(watcher).get(whom.id);
    return (
      seen !== undefined &&
      Object.entries(fields).every(([key, value]) => seen[key as keyof Presence] === value)
    );
  };
  await watcher.presence.inbox.until(holds, `${whom.user.username} as ${JSON.stringify(fields)}`);
  return seenBy(watcher).get(whom.id)!;
}

/** Every state of somebody that the socket was told in differences. */
const told = (watcher: Actor, whom: Actor) =>
  watcher.presence
    .got('presence:update')
    .flatMap(({ users }) => users)
    .filter(({ userId }) => userId === whom.id)
    .map(({ status }) => status);

async function read(reader: Actor, ...people: { id: string }[]): Promise<Presence[]> {
  const ids = people.map(({ id }) => encodeURIComponent(id)).join(',');
  const { status, body } = await reader.rest('GET', `/presence?userIds=${ids}`);
  expect(status).toBe(200);
  return (body as Page<Presence>).data;
}

/** A watched person does something that everybody sees: what came before it has been told. */
async function fence(watcher: Actor, by: Actor): Promise<void> {
  const text = `fence ${String(Math.random())}`;
  await by.rest('PUT', '/presence', { status: 'online', text });
  await sees(watcher, by, { text });
}

describe('presence', () => {
  let server: TestServer;
  let alice: Actor, bob: Actor, carol: Actor;

  beforeAll(async () => {
    server = await TestServer.start({
      PRESENCE_OFFLINE_MS: String(OFFLINE_MS),
      MAX_CONNECTIONS_PER_USER: '150',
    });
    [alice, bob, carol] = await server.actors('alice', 'bob', 'carol');
    await alice.does('room:join', { roomId: 'team', roomName: 'Team' });
    await bob.does('room:join', { roomId: 'team' });
    await carol.does('room:join', { roomId: 'team' });
    await alice.presence.connect();
    await alice.presence.does('presence:watch', { userIds: [bob.id, carol.id] });
    await sees(alice, bob, { status: 'online' });
  });
  afterAll(() => server.stop());

  /** Somebody of the team who is not there yet, watched by alice. */
  async function member(username: string): Promise<Actor> {
    const actor = server.actor(await server.register(username));
    await server.app
      .get(DataSource)
      .query(`INSERT INTO room_members (room_id, user_id, role) VALUES ('team', $1, 'member')`, [actor.id]);
    await alice.presence.does('presence:watch', { userIds: [actor.id] });
    return actor;
  }

  describe('devices', () => {
    it('is online with the first socket of any namespace, and offline a while after the last, with the time', async () => {
      const dave = await member('dave');
      expect(seenBy(alice).get(dave.id)).toEqual({ userId: dave.id, username: 'dave', status: 'offline' });
      await dave.presence.connect();
      await sees(alice, dave, { status: 'online' });
      await dave.connect();
      const left = Date.now();
      dave.presence.socket.disconnect();
      dave.disconnect();
      const seen = await sees(alice, dave, { status: 'offline' });
      const lastSeenAt = new Date(seen.lastSeenAt!).getTime();
      expect(lastSeenAt).toBeGreaterThanOrEqual(left - 50);
      expect(Date.now() - lastSeenAt).toBeGreaterThanOrEqual(OFFLINE_MS);
      expect(told(alice, dave)).toEqual(['online', 'offline']);
      expect(await read(alice, dave)).toEqual([seen]);
    });

    it('shows nothing of tabs that come and go while one is left, nor of a reload', async () => {
      const erin = await member('erin');
      await erin.connect();
      await sees(alice, erin, { status: 'online' });
      const tab = await server.connected(erin.session);
      tab.disconnect();
      erin.disconnect();
      // The page comes back before anybody notices.
      const again = await server.connected(erin.session);
      await fence(alice, carol);
      expect(told(alice, erin)).toEqual(['online']);
      again.disconnect();
      await sees(alice, erin, { status: 'offline' });
      expect(told(alice, erin)).toEqual(['online', 'offline']);
    });

    it('announces a user with a hundred devices and a flapping connection once', async () => {
      const frank = await member('frank');
      // On the server, where no frame takes several changes together.
      const announced: string[] = [];
      server.app.get(DomainEvents).on(PresenceChanged, ({ states }) => {
        for (const { userId, availability } of states)
          if (userId === frank.id) announced.push(availability.status);
      });
      const devices = await Promise.all(Array.from({ length: 100 }, () => server.connected(frank.session)));
      await sees(alice, frank, { status: 'online' });
      for (let flap = 0; flap < 20; flap += 1) (await server.connected(frank.session)).disconnect();
      for (const device of devices.slice(1)) device.disconnect();
      await fence(alice, carol);
      expect(announced).toEqual(['online']);
      devices[0]?.disconnect();
      await sees(alice, frank, { status: 'offline' });
      for (let flap = 0; flap < 5; flap += 1) (await server.connected(frank.session)).disconnect();
      const flapped = Date.now();
      await alice.presence.inbox.until(
        () => Date.parse(seenBy(alice).get(frank.id)?.lastSeenAt ?? '') >= flapped - 50,
        'the end of the last flap',
      );
      expect(announced).toEqual(['online', 'offline', 'online', 'offline']);
    });

    it('does not count /admin', async () => {
      const root = await server.administrator('overseer');
      await root.admin.connect();
      await alice.does('room:invite', { roomId: 'team', userId: root.id });
      await alice.presence.does('presence:watch', { userIds: [root.id] });
      await sees(alice, root, { status: 'online' });
      root.socket.disconnect();
      await sees(alice, root, { status: 'offline' });
      expect(root.admin.socket.connected).toBe(true);
    });
  });

  describe('what people choose', () => {
    afterEach(async () => {
      await bob.rest('PUT', '/presence', { status: 'online' });
      await sees(alice, bob, { status: 'online' });
    });

    it('busy with a text, on all devices, over sockets and REST', async () => {
      await bob.presence.connect();
      expect(bob.presence.got('presence:own')).toEqual([{ status: 'online' }]);
      const events = bob.presence.inbox.events.map(({ event }) => event);
      expect(events).toEqual(['presence:own', 'presence:list']);
      const phone = await server.connected(bob.session);
      await phone.presence.connect();
      const { presence } = await phone.presence.does('presence:set', {
        status: 'busy',
        text: ' In a meeting ',
      });
      expect(presence).toEqual({ status: 'busy', text: 'In a meeting' });
      await bob.presence.receives('presence:own', { status: 'busy', text: 'In a meeting' });
      await phone.presence.receives('presence:own', { status: 'busy', text: 'In a meeting' });
      expect(await sees(alice, bob, { status: 'busy' })).toEqual({
        userId: bob.id,
        username: 'bob',
        status: 'busy',
        text: 'In a meeting',
      });
      expect((await bob.rest('GET', '/presence/me')).body).toEqual({ status: 'busy', text: 'In a meeting' });
      const answer = await bob.rest('PUT', '/presence', { status: 'away' });
      expect(answer).toMatchObject({ status: 200, body: { presence: { status: 'away' } } });
      expect(await sees(alice, bob, { status: 'away' })).not.toHaveProperty('text');
      await phone.presence.receives('presence:own', { status: 'away' });
      phone.disconnect();
    });

    it('outlives the connections', async () => {
      const gina = await member('gina');
      await gina.rest('PUT', '/presence', { status: 'busy', text: 'Deep work' });
      await gina.presence.connect();
      expect(gina.presence.got('presence:own')).toEqual([{ status: 'busy', text: 'Deep work' }]);
      expect(await sees(alice, gina, { status: 'busy' })).toMatchObject({ text: 'Deep work' });
      gina.disconnect();
      expect(await sees(alice, gina, { status: 'offline' })).not.toHaveProperty('text');
    });

    it('invisible: offline to everybody else, in lists of members and in counts too', async () => {
      await bob.does('room:create', { type: 'private', roomId: 'two', name: 'Two', memberIds: [alice.id] });
      await alice.receives('room:added', { room: { id: 'two' } });
      const room = async () => (await alice.rest('GET', '/rooms/two')).body as Room;
      const online = async () => {
        const { members } = await alice.does('room:members', { roomId: 'two' });
        return Object.fromEntries(members.map((member: Member) => [member.username, member.online]));
      };
      expect((await room()).members).toEqual({ count: 2, online: 2 });
      expect(await online()).toEqual({ alice: true, bob: true });
      await bob.presence.does('presence:set', { status: 'invisible', text: 'Nobody reads this' });
      expect(await sees(alice, bob, { status: 'offline' })).toEqual({
        userId: bob.id,
        username: 'bob',
        status: 'offline',
      });
      expect(await read(alice, bob)).toEqual([{ userId: bob.id, username: 'bob', status: 'offline' }]);
      expect((await room()).members).toEqual({ count: 2, online: 1 });
      expect(await online()).toEqual({ alice: true, bob: false });
      await bob.presence.receives('presence:own', { status: 'invisible', text: 'Nobody reads this' });
      // A further device is not to be seen either, from its first moment on.
      const phone = await server.connected(bob.session);
      await phone.presence.connect();
      expect((await room()).members).toEqual({ count: 2, online: 1 });
      expect(phone.presence.got('presence:own')[0]).toMatchObject({ status: 'invisible' });
      await fence(alice, carol);
      expect(seenBy(alice).get(bob.id)?.status).toBe('offline');
      phone.disconnect();
    });

    it('restores with the end of the time what was before, however many were set with an end', async () => {
      await bob.presence.does('presence:set', { status: 'away', text: 'Gardening' });
      const soon = (ms: number) => new Date(Date.now() + ms).toISOString();
      const first = soon(60_000);
      const { presence } = await bob.presence.does('presence:set', {
        status: 'busy',
        text: 'Call',
        until: first,
      });
      expect(presence).toEqual({ status: 'busy', text: 'Call', until: first });
      const second = soon(250);
      await bob.presence.does('presence:set', { status: 'invisible', until: second });
      await bob.presence.receives('presence:own', { status: 'invisible', until: second });
      await sees(alice, bob, { status: 'away', text: 'Gardening' });
      await bob.presence.inbox.until(
        () => bob.presence.got('presence:own').at(-1)?.text === 'Gardening',
        'the former choice',
      );
      expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(second));
      expect(bob.presence.got('presence:own').at(-1)).toEqual({ status: 'away', text: 'Gardening' });
      expect((await bob.rest('GET', '/presence/me')).body).toEqual({ status: 'away', text: 'Gardening' });
      // What is over is not what comes back the next time.
      await bob.presence.does('presence:set', { status: 'busy', until: soon(200) });
      await bob.presence.inbox.until(
        () => bob.presence.got('presence:own').at(-1)?.text === 'Gardening',
        'the former choice once more',
      );
    });

    it('refuses an end in the past or more than a year ahead', async () => {
      for (const until of ['2020-01-01T00:00:00Z', '2999-01-01T00:00:00Z']) {
        const refusal = await bob.presence.refused('presence:set', { status: 'busy', until });
        expect(refusal).toMatchObject({ code: 'VALIDATION_FAILED', details: [{ path: 'until' }] });
      }
    });
  });

  describe('whom one sees', () => {
    it('answers strangers and ids that do not exist alike, over both roads', async () => {
      const [mallory] = await server.actors('mallory');
      await mallory.presence.connect();
      await mallory.presence.does('presence:watch', { userIds: [bob.id, 'nobody'] });
      await mallory.presence.inbox.until(
        () => mallory.presence.got('presence:list').length === 2,
        'two lists',
      );
      expect(mallory.presence.got('presence:list')).toEqual([
        { users: [], of: 'direct' },
        { users: [], of: 'watched' },
      ]);
      expect(await read(mallory, bob, { id: 'nobody' })).toEqual([]);
      await bob.rest('PUT', '/presence', { status: 'busy' });
      await sees(alice, bob, { status: 'busy' });
      await mallory.presence.does('presence:unwatch', { userIds: [bob.id, 'nobody'] });
      expect(mallory.presence.got('presence:update')).toEqual([]);
      await bob.rest('PUT', '/presence', { status: 'online' });
    });

    it('begins with the people of the direct rooms, and adds those of a new one', async () => {
      const [ned, olga, pete] = await server.actors('ned', 'olga', 'pete');
      await ned.startsDirectWith(olga);
      await ned.presence.connect();
      expect(ned.presence.got('presence:list')).toEqual([
        { users: [{ userId: olga.id, username: 'olga', status: 'online' }], of: 'direct' },
      ]);
      await pete.startsDirectWith(ned);
      await sees(ned, pete, { status: 'online' });
      expect(ned.presence.got('presence:list')[1]).toMatchObject({
        users: [{ userId: pete.id }],
        of: 'direct',
      });
      await pete.rest('PUT', '/presence', { status: 'busy' });
      await sees(ned, pete, { status: 'busy' });
      // They stay watched whatever one unwatches.
      await ned.presence.does('presence:unwatch', { userIds: [pete.id] });
      await pete.rest('PUT', '/presence', { status: 'away' });
      await sees(ned, pete, { status: 'away' });
    });

    // A list said neither what it answered, nor did two watches of one socket answer in order: the client took the list of
    // a direct room, or of the other watch, for the answer, and believed that the others cannot be seen.
    it('each watch is answered by its own list, in the order of the commands', async () => {
      const [abe, bea, cid] = await server.actors('abe', 'bea', 'cid');
      for (const person of [abe, bea]) await person.does('room:join', { roomId: 'lists', roomName: 'Lists' });
      await abe.presence.connect();
      const lists = () =>
        abe.presence
          .got('presence:list')
          .slice(1)
          .map(({ of, users }) => [of, users.map(({ userId }) => userId)]);
      const presences = server.app.get(PresenceList);
      const states = presences.states.bind(presences);
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      const spy = jest.spyOn(presences, 'states').mockImplementationOnce(async (...input) => {
        await held;
        return states(...input);
      });
      const answered: string[] = [];
      const watching = (name: string, userId: string) =>
        abe.presence.does('presence:watch', { userIds: [userId] }).then(() => answered.push(name));
      const first = watching('first', bea.id);
      // Commands of one socket arrive in order.
      const second = watching('second', abe.id);
      await cid.startsDirectWith(abe);
      // What does not wait for the first would have been answered by the time of these.
      for (let fences = 0; fences < 5; fences += 1) await read(abe, bea);
      release();
      await Promise.all([first, second]);
      await sees(abe, cid, { status: 'online' });
      spy.mockRestore();
      expect(answered).toEqual(['first', 'second']);
      expect(lists()).toEqual([
        ['watched', [bea.id]],
        ['watched', [abe.id]],
        ['direct', [cid.id]],
      ]);
    });

    it('at most 500 by presence:watch, whoever they are', async () => {
      const [quinn] = await server.actors('quinn');
      await quinn.presence.connect();
      const strangers = (from: number, length: number) =>
        Array.from({ length }, (_, index) => `nobody-${String(from + index)}`);
      await quinn.presence.does('presence:watch', { userIds: strangers(0, 500) });
      // Who could not be listed is not counted on.
      await quinn.presence.does('presence:watch', { userIds: strangers(500, 500) });
      const tooMany = await quinn.presence.refused('presence:watch', { userIds: strangers(0, 501) });
      expect(tooMany.code).toBe('VALIDATION_FAILED');
      await server.app.get(DataSource).query(
        `WITH people AS (INSERT INTO users (id, username, username_key, name, role)
           SELECT 'crowd-' || n, 'crowd-' || n, 'crowd-' || n, 'Crowd', 'user' FROM generate_series(1, 501) n RETURNING id),
         room AS (INSERT INTO rooms (id, type, name, member_count) VALUES ('crowd', 'public', 'Crowd', 502) RETURNING id)
         INSERT INTO room_members (room_id, user_id, role)
           SELECT 'crowd', id, 'member' FROM people UNION ALL SELECT 'crowd', $1, 'owner'`,
        [quinn.id],
      );
      const crowd = Array.from({ length: 501 }, (_, index) => `crowd-${String(index + 1)}`);
      await quinn.presence.does('presence:watch', { userIds: crowd.slice(0, 500) });
      const refusal = await quinn.presence.refused('presence:watch', { userIds: ['crowd-501'] });
      expect(refusal.code).toBe('LIMIT_EXCEEDED');
      const unknown = await quinn.presence.refused('presence:watch', { userIds: ['nobody'] });
      expect({ ...unknown, requestId: '' }).toEqual({ ...refusal, requestId: '' });
      await quinn.presence.does('presence:watch', { userIds: crowd.slice(0, 500) });
      await quinn.presence.does('presence:unwatch', { userIds: ['crowd-1', 'nobody'] });
      await quinn.presence.does('presence:watch', { userIds: ['crowd-501'] });
    });

    it('not the people of a room above 1,000 members: there is a count', async () => {
      const [rita, sam] = await server.actors('rita', 'sam');
      await rita.does('room:join', { roomId: 'huge', roomName: 'Huge' });
      await sam.does('room:join', { roomId: 'huge' });
      expect(await read(rita, sam)).toHaveLength(1);
      await server.app.get(DataSource).query(`UPDATE rooms SET member_count = 1001 WHERE id = 'huge'`);
      expect(await read(rita, sam)).toEqual([]);
      const { members } = await rita.does('room:members', { roomId: 'huge' });
      for (const member of members) expect(member).not.toHaveProperty('online');
      expect(((await rita.rest('GET', '/rooms/huge')).body as Room).members.online).toBe(2);
    });

    it('no longer when the last room in common is left, by either of the two', async () => {
      const [tina, uri, vera] = await server.actors('tina', 'uri', 'vera');
      for (const roomId of ['one', 'other']) await tina.does('room:join', { roomId, roomName: roomId });
      for (const roomId of ['one', 'other']) await uri.does('room:join', { roomId });
      await vera.does('room:join', { roomId: 'one' });
      for (const person of [tina, uri]) await person.presence.connect();
      await tina.presence.does('presence:watch', { userIds: [uri.id, vera.id] });
      await uri.presence.does('presence:watch', { userIds: [tina.id, vera.id] });
      await uri.does('room:leave', { roomId: 'one' });
      await uri.presence.receives('presence:removed');
      expect(uri.presence.got('presence:removed')).toEqual([{ userIds: [vera.id] }]);
      await tina.does('room:kick', { roomId: 'other', userId: uri.id });
      await tina.presence.receives('presence:removed');
      expect(tina.presence.got('presence:removed')).toEqual([{ userIds: [uri.id] }]);
      await uri.presence.inbox.until(
        () => uri.presence.got('presence:removed').length === 2,
        'the second end',
      );
      expect(uri.presence.got('presence:removed')[1]).toEqual({ userIds: [tina.id] });
      await uri.rest('PUT', '/presence', { status: 'busy' });
      await fence(tina, vera);
      expect(told(tina, uri)).toEqual([]);
      expect(await read(tina, uri)).toEqual([]);
    });

    it('everybody, as an administrator, and no longer than that', async () => {
      const [wanda] = await server.actors('wanda');
      const chief = await server.administrator('chief');
      const root = await server.administrator('rooty');
      await chief.presence.connect();
      await chief.presence.does('presence:watch', { userIds: [wanda.id] });
      await sees(chief, wanda, { status: 'online' });
      expect(await read(chief, wanda)).toHaveLength(1);
      await root.admin.connect();
      await root.admin.does('user:role', { userId: chief.id, role: 'user', reason: 'Enough' });
      await chief.presence.receives('presence:removed');
      expect(chief.presence.got('presence:removed')).toEqual([{ userIds: [wanda.id] }]);
      await chief.presence.does('presence:watch', { userIds: [wanda.id] });
      expect(chief.presence.got('presence:list').at(-1)).toEqual({ users: [], of: 'watched' });
      expect(await read(chief, wanda)).toEqual([]);
    });
  });

  describe('frames', () => {
    it('never sends a difference before its list, nor an older state after a newer one', async () => {
      const xena = await member('xena');
      await xena.presence.connect();
      const texts = new Map<string, number>();
      let changes = 0;
      let ended = false;
      const change = async (): Promise<void> => {
        while (!ended) {
          const text = `state ${String((changes += 1))}`;
          texts.set(text, changes);
          await xena.presence.does('presence:set', { status: 'online', text });
        }
      };
      const changing = change();
      for (let round = 0; round < 60; round += 1) {
        const watcher = await server.connected(alice.session);
        await watcher.presence.connect();
        await Promise.all([
          watcher.presence.does('presence:watch', { userIds: [xena.id] }),
          watcher.presence.does('presence:watch', { userIds: [bob.id, xena.id] }),
        ]);
        const states = watcher.presence.inbox.events.flatMap(({ event, payload }) =>
          event === 'presence:list' || event === 'presence:update'
            ? (payload as { users: Presence[] }).users
                .filter(({ userId }) => userId === xena.id)
                .map(({ text }) => ({ event, at: texts.get(text ?? '') ?? 0 }))
            : [],
        );
        expect(states[0]?.event).toBe('presence:list');
        expect(states.map(({ at }) => at)).toEqual(states.map(({ at }) => at).sort((a, b) => a - b));
        watcher.disconnect();
      }
      ended = true;
      await changing;
      expect(changes).toBeGreaterThan(60);
      await sees(alice, xena, { text: `state ${String(changes)}` });
    });

    it('sends at most one frame a second, however many of the watched change, and then what holds', async () => {
      const database = server.app.get(DataSource);
      const store = server.app.get(PresenceStore);
      const [yuri] = await server.actors('yuri');
      const ids = Array.from({ length: 300 }, (_, index) => `many-${String(index)}`);
      await database.query(
        `WITH people AS (INSERT INTO users (id, username, username_key, name, role)
           SELECT id, id, id, 'Many', 'user' FROM unnest($1::text[]) id RETURNING id),
         room AS (INSERT INTO rooms (id, type, name, member_count) VALUES ('many', 'public', 'Many', 301) RETURNING id)
         INSERT INTO room_members (room_id, user_id, role)
           SELECT 'many', id, 'member' FROM people UNION ALL SELECT 'many', $2, 'owner'`,
        [ids, yuri.id],
      );
      await yuri.presence.connect();
      await yuri.presence.does('presence:watch', { userIds: ids });
      const arrivals: number[] = [];
      yuri.presence.socket.on('presence:update', () => arrivals.push(performance.now()));
      // They choose over REST, each with a token of their own, while they have a device on another node.
      await store.report(
        'another node',
        ids.map((userId) => ({ userId, deviceId: `device of ${userId}`, status: 'online' as const })),
      );
      const own = server.app.get(OwnPresences);
      const started = performance.now();
      const asActor = (userId: string) => ({ ...yuri.user, userId, expiresAt: Date.now() + 60_000 });
      for (const text of ['a', 'b', 'c'])
        await Promise.all(ids.map((userId) => own.set(asActor(userId), { status: 'busy', text })));
      await yuri.presence.inbox.until(() => {
        const seen = seenBy(yuri);
        return ids.every((id) => seen.get(id)?.text === 'c');
      }, 'the last state of all');
      const seconds = (performance.now() - started) / 1000;
      // The first at once; a frame may be late on its way, and the next one then seems early.
      expect(arrivals.length).toBeLessThanOrEqual(Math.ceil(seconds) + 1);
      arrivals.slice(1).forEach((at, index) => expect(at - arrivals[index]!).toBeGreaterThan(800));
    });

    it('says nothing of a change that was taken back within the second', async () => {
      const zoe = await member('zoe');
      await zoe.connect();
      await sees(alice, zoe, { status: 'online' });
      const watcher = await server.connected(alice.session);
      await watcher.presence.connect();
      await watcher.presence.does('presence:watch', { userIds: [zoe.id, carol.id] });
      const set = (body: OwnPresence) => zoe.rest('PUT', '/presence', body);
      await carol.rest('PUT', '/presence', { status: 'away' });
      await sees(watcher, carol, { status: 'away' });
      await set({ status: 'busy' });
      await set({ status: 'online' });
      await fence(watcher, carol);
      expect(told(watcher, zoe)).toEqual([]);
    });
  });

  it('reads the members of a page without a query of its own', async () => {
    const members = server.app.get(MemberList);
    const database = server.app.get(DataSource);
    const spy = jest.spyOn(database, 'query');
    const actor = { ...alice.user, userId: alice.id, expiresAt: Date.now() + 60_000 };
    await members.list(actor, { roomId: 'team' });
    expect(spy.mock.calls.filter(([sql]) => sql.includes('presence_settings'))).toEqual([]);
    spy.mockRestore();
  });
});

describe('automatic away', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start({ PRESENCE_AWAY_MS: '1500' });
  });
  afterAll(() => server.stop());

  it('comes when every device is inactive, and goes with activity on any of them', async () => {
    const [alice, bob] = await server.actors('alice', 'bob');
    const roomId = await alice.startsDirectWith(bob);
    await alice.presence.connect();
    await sees(alice, bob, { status: 'away' });
    const tablet = await server.connected(bob.session);
    await sees(alice, bob, { status: 'online' });
    await sees(alice, bob, { status: 'away' });
    await tablet.presence.connect();
    await sees(alice, bob, { status: 'online' });
    await sees(alice, bob, { status: 'away' });
    await tablet.presence.does('presence:activity', {});
    await sees(alice, bob, { status: 'online' });
    await sees(alice, bob, { status: 'away' });
    await bob.sends(roomId, 'I am here');
    await sees(alice, bob, { status: 'online' });
    expect(told(alice, bob).filter((status) => status === 'offline')).toEqual([]);
  });
});

describe('the end of a server', () => {
  it('keeps when people were last there and what they chose, in one statement, and tells nobody', async () => {
    const database = await createTestDatabase();
    const first = await TestServer.start({}, database);
    const [alice, bob] = await first.actors('alice', 'bob');
    await alice.startsDirectWith(bob);
    await alice.presence.connect();
    await bob.rest('PUT', '/presence', { status: 'busy', text: 'Travelling' });
    await sees(alice, bob, { status: 'busy' });
    const statements = jest.spyOn(first.app.get(DataSource), 'createQueryRunner');
    const before = Date.now();
    await first.app.close();
    expect(statements.mock.calls.length).toBe(1);
    expect(told(alice, bob)).toEqual(['busy']);
    await first.stop();

    const second = await TestServer.start({ PRESENCE_OFFLINE_MS: '100' }, database);
    try {
      const again = await second.connected(alice.session);
      await again.presence.connect();
      const seen = await sees(again, bob, { status: 'offline' });
      expect(Date.parse(seen.lastSeenAt!)).toBeGreaterThanOrEqual(before - 50);
      const back = await second.connected(bob.session);
      expect(await sees(again, back, { status: 'busy' })).toMatchObject({ text: 'Travelling' });
    } finally {
      await second.stop();
      await database.drop();
    }
  });
});

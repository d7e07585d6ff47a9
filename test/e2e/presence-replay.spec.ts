import type { Presence, PresenceCommand } from '../../src/contract/presence.js';
import type { Page } from '../../src/contract/rest.js';
import { PRESENCE_COMMANDS } from '../../src/contract/presence.js';
import type { Actor } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';

/** What a client keeps: a list or an update replaces what was known of its users, `presence:removed` ends it. */
function keptBy({ presence }: Actor): Map<string, Presence> {
  const kept = new Map<string, Presence>();
  for (const { event, payload } of presence.inbox.events) {
    const { users = [], userIds = [] } = payload as { users?: Presence[]; userIds?: string[] };
    if (event === 'presence:list' || event === 'presence:update')
      for (const user of users) kept.set(user.userId, user);
    if (event === 'presence:removed' || event === UNWATCHED)
      for (const userId of userIds) kept.delete(userId);
  }
  return kept;
}

/** Noted in the inbox by the test itself: who was unwatched. */
const UNWATCHED = 'unwatched';

describe('presence: old state and received events make the freshly read state', () => {
  let server: TestServer;
  let alice: Actor, bob: Actor, carol: Actor, dave: Actor;
  let phone: Actor;

  beforeAll(async () => {
    server = await TestServer.start({ PRESENCE_OFFLINE_MS: '200', PRESENCE_AWAY_MS: '3000' });
    [alice, bob, carol, dave] = await server.actors('alice', 'bob', 'carol', 'dave');
    await alice.does('room:join', { roomId: 'replayed', roomName: 'Replayed' });
    for (const person of [bob, carol, dave]) {
      await person.does('room:join', { roomId: 'replayed' });
      await person.presence.connect();
    }
    await alice.presence.connect();
  });
  afterAll(() => server.stop());

  const soon = () => new Date(Date.now() + 300).toISOString();
  const set = (who: () => Actor, payload: Parameters<typeof alice.presence.does<'presence:set'>>[1]) => () =>
    who().presence.does('presence:set', payload);
  const steps: [PresenceCommand | 'connection' | 'room', string, () => Promise<unknown>][] = [
    [
      'presence:watch',
      'everybody, and who is not there',
      () => alice.presence.does('presence:watch', { userIds: [bob.id, carol.id, dave.id, 'nobody'] }),
    ],
    ['presence:set', 'busy', set(() => bob, { status: 'busy', text: 'Call' })],
    ['presence:set', 'away', set(() => carol, { status: 'away' })],
    ['presence:set', 'invisible', set(() => dave, { status: 'invisible', text: 'Hidden' })],
    ['presence:set', 'with an end that comes', () => set(() => bob, { status: 'away', until: soon() })()],
    [
      'presence:set',
      'invisible with an end',
      () => set(() => carol, { status: 'invisible', until: soon() })(),
    ],
    ['presence:set', 'visible again', set(() => dave, { status: 'online' })],
    ['presence:activity', 'nothing changes', () => bob.presence.does('presence:activity', {})],
    [
      'connection',
      'a further device',
      async () => {
        phone = await server.connected(bob.session);
      },
    ],
    ['connection', 'one device less', async () => phone.disconnect()],
    ['connection', 'offline', async () => dave.disconnect()],
    ['connection', 'invisible, then offline', () => set(() => carol, { status: 'invisible' })()],
    ['connection', 'gone unseen', async () => carol.disconnect()],
    [
      'presence:set',
      'over REST, visible again while offline',
      () => carol.rest('PUT', '/presence', { status: 'online' }),
    ],
    [
      'presence:unwatch',
      'and watch again',
      async () => {
        await alice.presence.does('presence:unwatch', { userIds: [bob.id] });
        alice.presence.inbox.record(UNWATCHED, { userIds: [bob.id] });
        await alice.presence.does('presence:watch', { userIds: [bob.id] });
      },
    ],
    [
      'connection',
      'inactive for long, then active',
      async () => {
        await bob.presence.does('presence:set', { status: 'online' });
        await alice.presence.inbox.until(() => keptBy(alice).get(bob.id)?.status === 'away', 'away');
        await bob.presence.does('presence:activity', {});
      },
    ],
    [
      'room',
      'the last one in common is left',
      () => dave.rest('DELETE', `/rooms/replayed/members/${dave.id}`),
    ],
    [
      'auth:refresh',
      'nothing changes',
      () => alice.presence.does('auth:refresh', { token: alice.session.accessToken }),
    ],
  ];

  it.each(steps)('%s: %s', async (_command, _what, step) => {
    await step();
    // Frames and ends take their time; nobody else changes anything meanwhile.
    for (const deadline = Date.now() + 8000; ;) {
      const ids = [bob.id, carol.id, dave.id];
      const { body } = await alice.rest('GET', `/presence?userIds=${ids.join(',')}`);
      const fresh = Object.fromEntries((body as Page<Presence>).data.map((user) => [user.userId, user]));
      const kept = Object.fromEntries(keptBy(alice));
      try {
        expect(kept).toEqual(fresh);
        return;
      } catch (error) {
        if (Date.now() > deadline) throw error;
      }
    }
  });

  it('covers every command', () => {
    const covered = new Set(steps.map(([command]) => command));
    expect(PRESENCE_COMMANDS.filter((command) => !covered.has(command))).toEqual([]);
  });
});

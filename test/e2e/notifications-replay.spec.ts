import type {
  Notification,
  NotificationCommand,
  NotificationCounts,
  NotificationEvents,
  NotificationPreferences,
} from '../../src/contract/notifications.js';
import { AnnouncementsService } from '../../src/notifications/announcements.service.js';
import type { Actor } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';
import { identity } from '../harness/writer-fixture.js';

/** What a client keeps of an inbox, by the rules of docs/protocol.md. */
class InboxState {
  readonly notifications = new Map<string, Notification>();
  counts: NotificationCounts = { unread: 0, unseen: 0, version: -1 };
  preferences: NotificationPreferences | undefined;

  constructor({ socket }: Actor['notifications']) {
    const on = <E extends keyof NotificationEvents>(
      event: E,
      apply: (payload: NotificationEvents[E]) => void,
    ) => {
      const name: string = event;
      socket.on(name, (payload: unknown) => apply(payload as NotificationEvents[E]));
    };
    on('notification:new', (notification) => this.notifications.set(notification.id, notification));
    on('notification:updated', (notification) => this.notifications.set(notification.id, notification));
    on('notification:removed', ({ ids }) => ids.forEach((id) => this.notifications.delete(id)));
    on('notification:read', (read) => {
      const { readAt } = read;
      this.change(
        (notification) =>
          'ids' in read ? read.ids.includes(notification.id) : notification.createdAt <= readAt,
        (notification) => ({ ...notification, readAt: notification.readAt ?? readAt }),
      );
    });
    on('notification:archived', ({ ids, archivedAt }) =>
      this.change(
        ({ id }) => ids.includes(id),
        (notification) => ({ ...notification, archivedAt, readAt: notification.readAt ?? archivedAt }),
      ),
    );
    on('announcement', ({ id, title, body, from, createdAt }) =>
      this.notifications.set(id, {
        id,
        kind: 'announcement',
        title,
        body: [...body].slice(0, 500).join(''),
        actor: from,
        count: 1,
        createdAt,
        updatedAt: createdAt,
      }),
    );
    on('notification:counts', (counts) => {
      if (counts.version > this.counts.version) this.counts = counts;
    });
    on('preference:updated', (preferences) => (this.preferences = preferences));
  }

  list(archived: boolean): Notification[] {
    return [...this.notifications.values()]
      .filter(({ archivedAt }) => (archivedAt !== undefined) === archived)
      .sort((a, b) => compare(b.createdAt, a.createdAt) || compare(b.id, a.id));
  }

  private change(holds: (n: Notification) => boolean, to: (n: Notification) => Notification): void {
    for (const [id, notification] of this.notifications)
      if (holds(notification)) this.notifications.set(id, to(notification));
  }
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

describe('an old inbox and the received events make the freshly read one', () => {
  let server: TestServer;
  let alice: Actor, bob: Actor, tablet: Actor, root: Actor;
  let live: InboxState;
  let direct: string;
  const hall = 'hall';

  beforeAll(async () => {
    server = await TestServer.start();
    [alice, bob] = await server.actors('alice', 'bob');
    root = await server.administrator();
    tablet = server.actor(bob.session);
    live = new InboxState(tablet.notifications);
    await bob.notifications.connect();
    await tablet.notifications.connect();
    await alice.does('room:join', { roomId: hall, roomName: 'Hall' });
    await bob.does('room:join', { roomId: hall });
    direct = await alice.startsDirectWith(bob);
  });
  afterAll(() => server.stop());

  const inbox = (filter: 'all' | 'archived') => tablet.notifications.does('notification:list', { filter });
  /** Until bob's fresh list tells of it: from then on the events are on their way. */
  async function told(messageId: string): Promise<void> {
    const deadline = Date.now() + 8000;
    for (;;) {
      const { status, body } = await bob.rest('GET', `/notifications/decisions?messageId=${messageId}`);
      const [decision] = (body as { data: { reason: string }[] }).data;
      if (status === 200 && decision && decision.reason !== 'pending') return;
      if (Date.now() > deadline) throw new Error('It is not decided');
    }
  }
  const send = async (roomId: string, more: object = {}) => {
    const { messageId } = await alice.sends(roomId, 'x', more);
    await told(messageId);
    return messageId;
  };
  const announce = () =>
    server.app
      .get(AnnouncementsService)
      .send({ ...identity(root), role: 'admin' }, { title: 'All', body: 'b'.repeat(900), reason: 'r' });
  const newest = async () => ((await inbox('all')).notifications[0] as Notification).id;

  let first: string, second: string, mention: string;
  const steps: [NotificationCommand | 'nothing', string, () => Promise<unknown>][] = [
    ['nothing', 'a direct message', async () => (first = await send(direct))],
    ['nothing', 'a second one, in a digest', async () => (second = await send(direct))],
    ['nothing', 'a mention', async () => (mention = await send(hall, { mentions: [bob.id] }))],
    ['nothing', 'an announcement', announce],
    ['notification:list', 'changes nothing', () => bob.notifications.does('notification:list', {})],
    ['notification:seen', 'all', () => bob.notifications.does('notification:seen', {})],
    ['notification:seen', 'again', () => bob.notifications.does('notification:seen', {})],
    ['nothing', 'a third one, unseen again', () => send(direct)],
    ['nothing', 'one of the digest is deleted', () => alice.does('message:delete', { messageId: second })],
    [
      'notification:read',
      'one',
      async () => bob.notifications.does('notification:read', { ids: [await newest()] }),
    ],
    ['nothing', 'the room is read', () => bob.does('message:read', { roomId: hall, messageId: mention })],
    ['nothing', 'another after it was read', () => send(hall, { mentions: [bob.id] })],
    ['nothing', 'an answer in the room', () => bob.sends(hall, 'I am here')],
    ['notification:read', 'all', () => bob.notifications.does('notification:read', { all: true })],
    ['nothing', 'a message in a thread', () => send(direct, { threadId: first, mentions: [bob.id] })],
    ['nothing', 'another announcement', announce],
    ['notification:read', 'all again', () => bob.notifications.does('notification:read', { all: true })],
    [
      'notification:archive',
      'an announcement',
      async () => bob.notifications.does('notification:archive', { ids: [await newest()] }),
    ],
    ['nothing', 'one more to archive unread', () => send(direct)],
    [
      'notification:archive',
      'unread',
      async () => bob.notifications.does('notification:archive', { ids: [await newest()] }),
    ],
    ['nothing', 'its message is deleted', () => alice.does('message:delete', { messageId: first })],
    [
      'nothing',
      'a room they are removed from',
      async () => {
        const { room } = await alice.does('room:create', {
          type: 'private',
          name: 'Den',
          memberIds: [bob.id],
        });
        await send(room.id, { mentions: [bob.id] });
        await alice.does('room:kick', { roomId: room.id, userId: bob.id });
      },
    ],
    ['preference:get', 'changes nothing', () => bob.notifications.does('preference:get', {})],
    [
      'preference:set',
      'a kind',
      () => bob.notifications.does('preference:set', { kind: 'direct', channels: { email: false } }),
    ],
    [
      'preference:set',
      'a room',
      () => bob.notifications.does('preference:set', { roomId: hall, level: 'all' }),
    ],
    ['nothing', 'any message of the room', () => send(hall)],
    [
      'auth:refresh',
      'changes nothing',
      () => bob.notifications.does('auth:refresh', { token: bob.session.accessToken }),
    ],
    [
      'nothing',
      'many at once',
      async () => {
        const sent = await Promise.all(Array.from({ length: 40 }, () => alice.sends(direct, 'x')));
        await Promise.all(sent.map(({ messageId }) => told(messageId)));
      },
    ],
  ];

  it.each(steps)('%s: %s', async (_command, _what, act) => {
    await act();
    const fresh = async () => ({
      all: (await inbox('all')).notifications,
      archived: (await inbox('archived')).notifications,
    });
    const deadline = Date.now() + 5000;
    // What a command led to may still be on its way: the events are awaited, and then everything agrees.
    for (;;) {
      const now = await fresh();
      const here = { all: live.list(false), archived: live.list(true) };
      if (Date.now() > deadline || JSON.stringify(sorted(now)) === JSON.stringify(sorted(here))) {
        expect(here).toEqual(now);
        break;
      }
    }
    const device = server.actor(bob.session);
    await device.notifications.connect();
    const [counts] = device.notifications.got('notification:counts');
    device.disconnect();
    // Asked of the inbox of the line: what it has recorded reaches the state a moment later, in the same turn.
    await tablet.notifications.inbox.until(
      () => tablet.notifications.got('notification:counts').some(({ version }) => version >= counts!.version),
      'the counts',
    );
    expect(live.counts).toEqual(counts);
    if (live.preferences)
      expect((await bob.notifications.does('preference:get', {})).preferences).toEqual(live.preferences);
  });

  it('covers every command', () => {
    const covered = new Set(steps.map(([command]) => command));
    for (const command of [
      'notification:list',
      'notification:seen',
      'notification:read',
      'notification:archive',
      'preference:get',
      'preference:set',
    ])
      expect(covered).toContain(command);
  });
});

/** With the keys of every object in one order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => compare(a, b))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

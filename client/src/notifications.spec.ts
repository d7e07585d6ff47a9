/** The notifications part and its inbox against a scripted server. */
import type { Notification } from '../../src/contract/notifications.js';
import { FAST, ScriptedServer } from '../test/scripted-server.js';
import { createClient, type Inbox, type InboxSnapshot, type ParleyClient } from './index.js';

const PAGE = 50;
const made = (index: number): Notification => {
  const createdAt = new Date(Date.UTC(2026, 0, 1, 0, 0, index)).toISOString();
  const id = `n${String(index).padStart(3, '0')}`;
  return { id, kind: 'mention', title: 't', body: '', count: 1, createdAt, updatedAt: createdAt };
};

describe('client.notifications', () => {
  let server: ScriptedServer;
  let alice: ParleyClient;
  /** Newest first. */
  let stored: Notification[];
  let version: number;

  /** Whether announcements stand in the inbox. */
  let inApp: boolean;

  const preferences = () => ({ kinds: { announcement: { inApp } }, rooms: [] });
  const counts = () => ({ unread: stored.length, unseen: 0, version });
  const tell = (event: string, payload: unknown) => {
    server.emit(event, payload, '/notifications');
  };
  const until = (inbox: Inbox, holds: (snapshot: InboxSnapshot) => boolean): Promise<InboxSnapshot> =>
    new Promise((resolve) => {
      const look = (snapshot: InboxSnapshot) => {
        if (!holds(snapshot)) return;
        stop();
        resolve(snapshot);
      };
      const stop = inbox.subscribe(look);
      look(inbox.getSnapshot());
    });
  const shown = (count: number) => (snapshot: InboxSnapshot) =>
    snapshot.isCurrent && snapshot.notifications.length === count;

  beforeEach(async () => {
    server = new ScriptedServer();
    stored = [];
    version = 1;
    server.open('/notifications', () => ['notification:counts', counts()]);
    server.handlers.set('notification:list', ({ cursor }, ack) => {
      const from = typeof cursor === 'string' ? stored.findIndex(({ id }) => id < cursor) : 0;
      const notifications = from === -1 ? [] : stored.slice(from, from + PAGE);
      const last = notifications.at(-1);
      const more = from + PAGE < stored.length && last !== undefined ? { cursor: last.id } : {};
      ack({ status: 'ok', notifications, ...more });
    });
    inApp = true;
    server.handlers.set('preference:get', (_, ack) => {
      ack({ status: 'ok', preferences: preferences() });
    });
    for (const command of ['notification:seen', 'notification:read', 'notification:archive'])
      server.handlers.set(command, (_, ack) => {
        version += 1;
        ack({ status: 'ok', counts: counts() });
      });
    alice = createClient({
      url: await server.start(),
      getToken: () => 'token',
      transports: ['websocket'],
      timing: FAST,
    });
  });
  afterEach(async () => {
    alice.close();
    await server.stop();
  });

  it('tells what happens by short names, and counts by the highest version', async () => {
    const told: unknown[] = [];
    for (const event of ['new', 'updated', 'removed', 'read', 'archived', 'announcement', 'counts'] as const)
      alice.notifications.on(event, (payload) => told.push([event, payload]));
    const last = new Promise((resolve) => alice.notifications.on('preferences', resolve));
    await alice.notifications.seen();
    tell('notification:counts', { unread: 9, unseen: 9, version: 1 });
    tell('notification:new', made(1));
    tell('notification:updated', made(1));
    tell('notification:read', { all: true, readAt: 'x' });
    tell('notification:archived', { ids: ['n001'], archivedAt: 'x' });
    tell('notification:removed', { ids: ['n001'] });
    tell('announcement', { id: 'a' });
    tell('preference:updated', { kinds: {}, rooms: [] });
    expect(await last).toEqual({ kinds: {}, rooms: [] });
    expect(told).toEqual([
      ['counts', { unread: 0, unseen: 0, version: 1 }],
      ['counts', { unread: 0, unseen: 0, version: 2 }],
      ['new', made(1)],
      ['updated', made(1)],
      ['read', { all: true, readAt: 'x' }],
      ['archived', { ids: ['n001'], archivedAt: 'x' }],
      ['removed', { ids: ['n001'] }],
      ['announcement', { id: 'a' }],
    ]);
    expect(alice.notifications.counts).toEqual({ unread: 0, unseen: 0, version: 2 });
  });

  it('marks and archives any number, a hundred in one command', async () => {
    const ids = Array.from({ length: 150 }, (_, index) => `n${String(index)}`);
    await alice.notifications.read([...ids, ...ids]);
    await alice.notifications.read('all');
    await alice.notifications.archive(['a']);
    await alice.notifications.archive([]);
    expect(server.received.map(({ event, payload }) => [event, payload])).toEqual([
      ['notification:read', { ids: ids.slice(0, 100) }],
      ['notification:read', { ids: ids.slice(100) }],
      ['notification:read', { all: true }],
      ['notification:archive', { ids: ['a'] }],
    ]);
  });

  it('the inbox reads the newest page, older ones when asked, and fills up by itself', async () => {
    stored = Array.from({ length: 120 }, (_, index) => made(120 - index));
    const inbox = alice.notifications.inbox();
    expect(alice.notifications.inbox()).toBe(inbox);
    expect(inbox.getSnapshot()).toEqual({ notifications: [], hasMore: false, isCurrent: false });
    await alice.connect();
    expect((await until(inbox, shown(PAGE))).hasMore).toBe(true);
    // What is archived leaves room on the page.
    const ids = stored.slice(0, 3).map(({ id }) => id);
    stored = stored.slice(3);
    tell('notification:archived', { ids, archivedAt: 'x' });
    await until(inbox, shown(97));
    await Promise.all([inbox.more(), inbox.more()]);
    await inbox.more();
    expect(inbox.getSnapshot()).toEqual({ notifications: stored, hasMore: false, isCurrent: true });
    expect(server.count('notification:list')).toBe(3);
  });

  it('the inbox applies what comes while a page is on its way on top of it, and at once', async () => {
    stored = [made(1)];
    const list = server.handlers.get('notification:list');
    server.handlers.set('notification:list', (payload, ack, socket) => {
      list?.(
        payload,
        (page) => {
          // Not in the page that was read, but told before it arrives.
          stored.unshift(made(2));
          tell('notification:new', made(2));
          ack(page);
        },
        socket,
      );
    });
    const inbox = alice.notifications.inbox();
    await alice.connect();
    const snapshot = await until(inbox, ({ isCurrent }) => isCurrent);
    expect(snapshot.notifications.map(({ id }) => id)).toEqual(['n002', 'n001']);
    expect(inbox.getSnapshot()).toBe(snapshot);
  });

  it('the inbox shows what it knew while the connection is down, and is read afresh after', async () => {
    stored = [made(2), made(1)];
    const inbox = alice.notifications.inbox();
    await alice.connect();
    await until(inbox, shown(2));
    server.cut();
    const lost = await until(inbox, ({ isCurrent }) => !isCurrent);
    expect(lost.notifications).toHaveLength(2);
    stored = [made(3), { ...made(2), readAt: 'x' }];
    const fresh = await until(inbox, ({ isCurrent }) => isCurrent);
    expect(fresh.notifications).toEqual(stored);
  });

  it('the inbox shows announcements unless one has them off', async () => {
    const announcement = { id: 'a1', title: 'T', body: 'B', from: { id: 'r', name: 'Root' }, createdAt: 'x' };
    inApp = false;
    const inbox = alice.notifications.inbox();
    await alice.connect();
    await until(inbox, shown(0));
    tell('announcement', announcement);
    stored = [made(1)];
    tell('notification:new', made(1));
    await until(inbox, shown(1));
    expect(inbox.getSnapshot().notifications).toEqual(stored);
    inApp = true;
    stored = [made(1), made(0)];
    tell('preference:updated', preferences());
    await until(inbox, shown(2));
    tell('announcement', announcement);
    expect((await until(inbox, shown(3))).notifications[0]).toMatchObject({ id: 'a1', kind: 'announcement' });
  });

  it('the inbox tries again when the server was busy', async () => {
    stored = [made(1)];
    const list = server.handlers.get('notification:list');
    server.handlers.set('notification:list', (payload, ack, socket) => {
      if (server.count('notification:list') > 1) list?.(payload, ack, socket);
      else
        ack({
          status: 'error',
          error: { code: 'UNAVAILABLE', message: 'no', retryable: true, retryAfterMs: 20, requestId: 'q' },
        });
    });
    const inbox = alice.notifications.inbox();
    await alice.connect();
    await until(inbox, shown(1));
  });
});

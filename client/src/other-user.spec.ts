/** Another person signs in on a client that somebody has used before: nothing of the one is shown to, or sent by, the other. */
import type { Notification } from '../../src/contract/notifications.js';
import { FAST, ScriptedServer } from '../test/scripted-server.js';
import { createClient, type InboxSnapshot, type ParleyClient } from './index.js';

const createdAt = '2026-01-01T00:00:00.000Z';
const made = (id: string): Notification => ({
  id,
  kind: 'custom',
  title: id,
  body: '',
  count: 1,
  createdAt,
  updatedAt: createdAt,
});
const online = (userId: string) => ({ userId, username: userId, status: 'online' });

// The counts of the one before, with the higher version, won for ever; their inbox, status, people and rooms were shown
// until, or as long as, nothing of one's own took their place.
describe('another person on the same client', () => {
  let server: ScriptedServer;
  let client: ParleyClient;
  let asked: number;
  let pages: (() => void)[];

  const each = () => ({
    ana: { version: 900, unread: 7, inbox: ['of-ana'], direct: ['dan'], own: 'busy' },
    ben: { version: 3, unread: 0, inbox: ['of-ben'], direct: ['eve'], own: 'online' },
  });
  const person = () => each()[server.userId as 'ana' | 'ben'];
  const inboxIs = (holds: (snapshot: InboxSnapshot) => boolean): Promise<InboxSnapshot> =>
    new Promise((resolve) => {
      const inbox = client.notifications.inbox();
      const look = (snapshot: InboxSnapshot) => {
        if (!holds(snapshot)) return;
        stop();
        resolve(snapshot);
      };
      const stop = inbox.subscribe(look);
      look(inbox.getSnapshot());
    });
  const presenceIsCurrent = (): Promise<void> =>
    new Promise((resolve) => {
      if (client.presence.isCurrent) resolve();
      client.presence.on('current', (isCurrent) => {
        if (isCurrent) resolve();
      });
    });

  beforeEach(async () => {
    server = new ScriptedServer();
    server.userId = 'ana';
    server.serveRoom();
    asked = 0;
    pages = [];
    server.open('/notifications', () => {
      const { unread, version } = person();
      return ['notification:counts', { unread, unseen: unread, version }];
    });
    server.open('/presence', () => ['presence:list', { users: person().direct.map(online), of: 'direct' }]);
    server.open('/admin', () => ['admin:stats', { nodes: 1 }]);
    server.handlers.set('presence:watch', ({ userIds }, ack, socket) => {
      socket.emit('presence:own', { status: person().own });
      socket.emit('presence:list', { users: (userIds as string[]).map(online), of: 'watched' });
      ack({ status: 'ok' });
    });
    server.handlers.set('preference:get', (_, ack) => {
      ack({ status: 'ok', preferences: { kinds: { announcement: { inApp: true } } } });
    });
    server.handlers.set('notification:list', (_, ack) => {
      const notifications = person().inbox.map(made);
      if (server.userId === 'ana') ack({ status: 'ok', notifications });
      else pages.push(() => ack({ status: 'ok', notifications }));
    });
    client = createClient({
      url: await server.start(),
      getToken: () => `token ${String((asked += 1))}`,
      transports: ['websocket'],
      timing: FAST,
    });
  });
  afterEach(async () => {
    client.close();
    await server.stop();
  });

  it('sees nothing of what the one before saw', async () => {
    const { presence, notifications, admin } = client;
    const stats = new Promise((resolve) => admin.on('stats', resolve));
    const watch = presence.watch(['carol']);
    await Promise.all([watch.ready, stats, inboxIs(({ isCurrent }) => isCurrent)]);
    const room = await client.join('r');
    server.write('of the time of ana');
    await new Promise<void>((resolve) => {
      const look = () => {
        if (room.messages.length === 1) resolve();
      };
      room.on('change', look);
      look();
    });
    expect([notifications.counts?.version, presence.own?.status]).toEqual([900, 'busy']);
    client.close();
    // Of the same person it would be right: this is what was last known.
    expect(notifications.inbox().getSnapshot().notifications).toHaveLength(1);

    server.userId = 'ben';
    const seen: unknown[] = [];
    client.on('state', ({ state }) => {
      if (state === 'connected')
        seen.push(
          notifications.counts,
          notifications.inbox().getSnapshot().notifications.length,
          presence.own,
          presence.get('carol'),
          presence.get('dan'),
          admin.stats,
          room.status,
          room.messages.length,
          room.view,
          room.readState,
        );
    });
    const left = new Promise((resolve) => room.on('left', resolve));
    await client.connect();
    expect(seen).toEqual([
      undefined,
      0,
      undefined,
      undefined,
      undefined,
      undefined,
      'left',
      0,
      undefined,
      undefined,
    ]);
    expect(await left).toEqual({ reason: 'unknown' });
    await presenceIsCurrent();
    // Listeners and watches are the application's: they stay.
    expect([presence.get('carol')?.status, presence.get('dan'), presence.get('eve')?.status]).toEqual([
      'online',
      undefined,
      'online',
    ]);
    await presence.watch(['frank']).ready;
    expect(presence.own).toEqual({ status: 'online' });
    // A list is answered after the counts were told.
    const listing = notifications.list();
    while (pages.length < 2) await client.send('room:positions', { roomIds: [] });
    expect(notifications.inbox().getSnapshot()).toMatchObject({ notifications: [], isCurrent: false });
    pages.forEach((answer) => {
      answer();
    });
    await listing;
    expect((await inboxIs(({ isCurrent }) => isCurrent)).notifications).toEqual([made('of-ben')]);
    expect(notifications.counts).toMatchObject({ version: 3, unread: 0 });
    // The room is theirs when they join it.
    expect(server.count('room:join')).toBe(1);
    expect((await room.join()).messages).toHaveLength(1);
  });

  // A message that waited for its retry while the client was closed left under the name of who came next.
  it('sends nothing of what the one before wrote', async () => {
    const room = await client.join('r');
    const refused = new Promise<void>((resolve) => {
      server.handlers.set('message:send', (_, ack) => {
        ack({
          status: 'error',
          error: { code: 'RATE_LIMITED', message: 'x', retryable: true, retryAfterMs: 300, requestId: 'q' },
        });
        resolve();
      });
    });
    const sending = [room.send('one'), room.send('two')];
    await refused;
    // Until the refusal has arrived.
    await client.send('room:positions', { roomIds: [] });
    const ends = Promise.allSettled(sending);
    client.close();
    expect(room.outgoing.map(({ state }) => state)).toEqual(['failed', 'failed']);

    server.userId = 'ben';
    server.serveRoom();
    await client.connect();
    expect(room.outgoing).toEqual([]);
    await room.join();
    // In the order of the queue: what was still to be sent would be before it.
    await room.send('three');
    expect(await ends).toMatchObject([{ reason: { code: 'CLOSED' } }, { reason: { code: 'CLOSED' } }]);
    expect(server.log.map(({ content }) => content)).toEqual(['three']);
  });

  it('keeps what the next one did before the session was there', async () => {
    await client.join('r');
    client.close();
    server.userId = 'ben';
    server.write('before', undefined, 'other', true);
    void client.connect();
    const other = client.room('s');
    const sending = other.send('early');
    const joining = other.join();
    expect((await joining).status).toBe('joined');
    await sending;
    expect(server.log.map(({ content }) => content)).toEqual(['before', 'early']);
  });

  // Commands that wait, and messages on their way, are of who made them.
  it('is refused while the client is not closed', async () => {
    await client.join('r');
    server.handlers.set('room:list', () => {
      server.userId = 'ben';
      server.cut();
    });
    await expect(client.send('room:list', {})).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect([client.state, client.closeReason]).toEqual(['closed', 'FORBIDDEN']);
    expect(server.count('room:list')).toBe(1);
    await client.connect();
    expect(client.userId).toBe('ben');
  });
});

/** The namespaces beside `/chat` against a scripted server: when they are joined, refused, lost and ended. */
import { FAST, ScriptedServer } from '../test/scripted-server.js';
import { createClient, type ParleyClient } from './index.js';

const COUNTS = { unread: 0, unseen: 0, version: 1 };
const counts = (): [string, unknown] => ['notification:counts', COUNTS];
const stats = (): [string, unknown] => ['admin:stats', { nodes: 1 }];
const refresh = { status: 'ok', expiresAt: new Date(Date.now() + 3_600_000).toISOString() };

describe('a namespace beside /chat', () => {
  let server: ScriptedServer;
  let url: string;
  let alice: ParleyClient;
  let asked: number;

  beforeEach(async () => {
    server = new ScriptedServer();
    asked = 0;
    url = await server.start();
    alice = createClient({
      url,
      getToken: () => `token ${String((asked += 1))}`,
      transports: ['websocket'],
      timing: FAST,
    });
    server.handlers.set('notification:list', (_, ack) => {
      ack({ status: 'ok', notifications: [] });
    });
    server.handlers.set('notification:seen', (_, ack) => {
      ack({ status: 'ok', counts: COUNTS });
    });
    server.handlers.set('auth:refresh', (_, ack) => {
      ack(refresh);
    });
  });
  afterEach(async () => {
    alice.close();
    await server.stop();
  });

  const state = (wanted: string): Promise<void> =>
    new Promise((resolve) => {
      if (alice.state === wanted) resolve();
      alice.on('state', (change) => {
        if (change.state === wanted) resolve();
      });
    });
  const partState = (wanted: string): Promise<void> =>
    new Promise((resolve) => {
      if (alice.admin.state === wanted) resolve();
      alice.admin.on('state', (now) => {
        if (now === wanted) resolve();
      });
    });

  it('is joined when it is used first, on the same transport, and starts the connection', async () => {
    server.open('/notifications', counts);
    server.open('/presence', () => ['presence:list', { users: [], of: 'direct' }]);
    expect(await alice.notifications.list()).toEqual({ notifications: [] });
    expect(alice.state).toBe('connected');
    expect(server.sockets('/notifications')).toHaveLength(1);
    expect(server.sockets('/presence')).toHaveLength(0);
    expect(server.transports).toBe(1);
    expect(alice.notifications.counts).toEqual(COUNTS);
  });

  it('sends nothing before the server has opened it', async () => {
    server.open('/notifications', () => ['something', {}]);
    const seen = alice.notifications.seen();
    await alice.connect();
    await new Promise<void>((resolve) => {
      const look = setInterval(() => {
        if (server.sockets('/notifications').length === 0) return;
        clearInterval(look);
        resolve();
      }, 5);
    });
    // Whatever being connected sets off leaves before the second of these.
    for (let fence = 0; fence < 2; fence += 1)
      await expect(alice.send('room:list', {})).rejects.toMatchObject({ code: 'UNKNOWN_EVENT' });
    expect(server.count('notification:seen')).toBe(0);
    server.emit('notification:counts', COUNTS, '/notifications');
    expect(await seen).toEqual(COUNTS);
  });

  it('is joined again after a cut, and what is repeatable is asked again', async () => {
    server.open('/notifications', counts);
    server.open('/admin', stats);
    await alice.notifications.list();
    server.received.length = 0;
    server.handlers.set('notification:list', (_, ack) => {
      if (server.count('notification:list') > 1) ack({ status: 'ok', notifications: [] });
      else server.cut();
    });
    expect(await alice.notifications.list()).toEqual({ notifications: [] });
    server.handlers.set('room:freeze', () => {
      server.cut();
    });
    await expect(alice.admin.freeze('r', 'because')).rejects.toMatchObject({ code: 'DISCONNECTED' });
    expect(server.count('room:freeze')).toBe(1);
  });

  // "All there are" and "as I set it" were said again after a reconnect: what came meanwhile was read unseen, and what
  // another device had set meanwhile was undone.
  it('what would mean something else by then is not asked again after a cut', async () => {
    server.open('/notifications', counts);
    server.open('/presence', () => ['presence:list', { users: [], of: 'direct' }]);
    const commands: [string, () => Promise<unknown>][] = [
      ['notification:seen', () => alice.notifications.seen()],
      ['notification:read', () => alice.notifications.read('all')],
      ['preference:set', () => alice.notifications.setPreference({ quietHours: null })],
      ['presence:set', () => alice.presence.set('busy')],
    ];
    for (const [command, act] of commands) {
      server.handlers.set(command, () => server.cut());
      await expect(act()).rejects.toMatchObject({ code: 'DISCONNECTED' });
      expect(server.count(command)).toBe(1);
    }
    for (const command of ['notification:read', 'notification:archive'])
      server.handlers.set(command, (_, ack) => {
        if (server.received.filter(({ payload }) => 'ids' in payload).length % 2 === 1) server.cut();
        else ack({ status: 'ok', counts: COUNTS });
      });
    await alice.notifications.read(['n']);
    await alice.notifications.archive(['n']);
    expect(commands.map(([command]) => server.count(command))).toEqual([1, 3, 1, 1]);
  });

  // A server that took the socket and never opened it, as one that is overwhelmed, left the part joining for ever.
  it('is tried again when the server does not open it in time', async () => {
    let sockets = 0;
    server.open('/notifications', () => ((sockets += 1) === 1 ? ['something', {}] : counts()));
    const impatient = createClient({
      url,
      getToken: () => 'token',
      transports: ['websocket'],
      timing: { ...FAST, connectMs: 400 },
    });
    expect(await impatient.notifications.list()).toEqual({ notifications: [] });
    expect(sockets).toBeGreaterThan(1);
    expect(impatient.state).toBe('connected');
    impatient.close();
  });

  it('rejects what waits when the server refuses it, and the client lives on', async () => {
    let isAdmin = false;
    server.open('/admin', stats, () =>
      isAdmin ? undefined : { message: 'Forbidden', code: 'FORBIDDEN', retryable: false },
    );
    await expect(alice.admin.connections()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(alice.admin.state).toBe('refused');
    expect(alice.state).toBe('connected');
    // The next use asks again.
    isAdmin = true;
    server.handlers.set('connection:list', (_, ack) => {
      ack({ status: 'ok', connections: [] });
    });
    expect(await alice.admin.connections()).toEqual({ connections: [] });
  });

  it('that the server does not have says so', async () => {
    await expect(alice.notifications.list()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(alice.state).toBe('connected');
  });

  it('waits as long as a busy server says', async () => {
    let busy = 2;
    server.open('/notifications', counts, () =>
      (busy -= 1) < 0
        ? undefined
        : { message: 'Server busy', code: 'UNAVAILABLE', retryable: true, retryAfterMs: 100 },
    );
    await alice.connect();
    const began = Date.now();
    await alice.notifications.list();
    expect(Date.now() - began).toBeGreaterThanOrEqual(200);
  });

  it('renews the token once when the handshake says that it is over', async () => {
    server.open('/notifications', counts, (token) =>
      token === 'token 1' ? { message: 'Token expired', code: 'TOKEN_EXPIRED', retryable: true } : undefined,
    );
    await alice.notifications.list();
    expect(asked).toBe(2);
    expect(server.count('auth:refresh')).toBe(1);
  });

  it('is told of an expiring token together with the others: one renewal', async () => {
    server.open('/notifications', counts);
    server.open('/admin', stats);
    await alice.notifications.list();
    alice.admin.on('stats', () => undefined);
    await partState('joined');
    const expiring = { expiresAt: new Date().toISOString() };
    for (const namespace of ['/chat', '/notifications', '/admin'])
      server.emit('session:expiring', expiring, namespace);
    // Whatever a second warning asks for leaves before this.
    await alice.notifications.list();
    await alice.notifications.list();
    expect(server.count('auth:refresh')).toBe(1);
    expect(asked).toBe(2);
  });

  it('ends alone when the role is gone, and rejects what is under way and what waits', async () => {
    server.open('/admin', stats);
    server.handlers.set('connection:list', () => undefined);
    const listing = alice.admin.connections();
    listing.catch(() => undefined);
    server.handlers.set('user:suspend', (_, __, socket) => {
      socket.emit('session:closing', { code: 'ROLE_CHANGED', reconnect: false });
      socket.disconnect();
    });
    // It may have been done. The read would have been repeated.
    await expect(alice.admin.suspend('bob', 'spam')).rejects.toMatchObject({ code: 'DISCONNECTED' });
    await expect(listing).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(alice.admin.state).toBe('refused');
    expect(alice.state).toBe('connected');
  });

  it.each(['SUSPENDED', 'SESSION_REVOKED'])('%s in it closes the client', async (code) => {
    server.open('/notifications', counts);
    await alice.notifications.list();
    server.emit('session:closing', { code, reconnect: false }, '/notifications');
    await state('closed');
    expect(alice.closeReason).toBe(code);
    await expect(alice.notifications.list()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('obeys a drain that only it was told of', async () => {
    server.open('/notifications', counts);
    await alice.notifications.list();
    const lost = state('reconnecting');
    server.emit('session:closing', { code: 'DRAIN', reconnect: true, retryAfterMs: 200 }, '/notifications');
    // Packets of one transport keep their order.
    await expect(alice.send('room:list', {})).rejects.toMatchObject({ code: 'UNKNOWN_EVENT' });
    const waiting = alice.notifications.list();
    const began = Date.now();
    server.cut();
    await lost;
    await waiting;
    expect(Date.now() - began).toBeGreaterThanOrEqual(190);
  });

  it('leaves no transport behind when the client is closed, and comes back with it', async () => {
    server.open('/notifications', counts);
    await alice.notifications.list();
    const gone = new Promise<void>((resolve) => {
      server.sockets('/chat')[0]?.conn.once('close', () => resolve());
    });
    const failed = expect(alice.send('room:leave', { roomId: 'r' })).rejects.toBeDefined();
    alice.close();
    await Promise.all([gone, failed]);
    expect(alice.notifications.state).toBe('idle');
    const told = new Promise((resolve) => {
      alice.notifications.on('new', resolve);
    });
    server.open('/notifications', () => {
      setImmediate(() => server.emit('notification:new', { id: 'n' }, '/notifications'));
      return counts();
    });
    await alice.connect();
    expect(await told).toEqual({ id: 'n' });
  });
});

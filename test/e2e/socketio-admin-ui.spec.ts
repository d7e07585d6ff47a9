import { io, type Socket } from 'socket.io-client';
import type { Actor } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';

/** Of "changeit". */
const HASH = '$2b$10$heqvAkYMez.Va6Et2uXInOnkCT6/uQj1brkrbyG3LpopDklcq7ZOS';

describe("Socket.IO's own admin UI", () => {
  let server: TestServer;
  let alice: Actor;
  let open: Socket[] = [];
  beforeAll(async () => {
    server = await TestServer.start({ SOCKETIO_ADMIN_PASSWORD: HASH, SOCKETIO_ADMIN_USERNAME: 'operator' });
    [alice] = await server.actors('alice');
  });
  afterEach(() => {
    for (const socket of open) socket.disconnect();
    open = [];
  });
  afterAll(() => server.stop());

  function connect(auth: object, namespace = '/socketio-admin', url = server.url): Socket {
    const socket = io(`${url}${namespace}`, {
      auth,
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
    });
    open.push(socket);
    return socket;
  }
  const heard = (socket: Socket, event: string) =>
    new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`No ${event}`)), 8000);
      socket.once(event, (payload: unknown) => {
        clearTimeout(timer);
        resolve(payload);
      });
    });
  const refusal = async (socket: Socket) => ((await heard(socket, 'connect_error')) as Error).message;
  const right = { username: 'operator', password: 'changeit' };

  it('admits the right password, and shows statistics of the server', async () => {
    const socket = connect(right);
    const config = heard(socket, 'config');
    const session = heard(socket, 'session');
    const stats = heard(socket, 'server_stats');
    expect(await config).toEqual({ supportedFeatures: ['AGGREGATED_EVENTS'] });
    expect(await stats).toMatchObject({ namespaces: expect.any(Array) as unknown });
    // A later connection comes with the session it was given.
    await heard(connect({ sessionId: await session }), 'config');
  });

  it('refuses a wrong password, and our own tokens', async () => {
    const { accessToken: token } = alice.session;
    for (const auth of [
      {},
      { ...right, password: 'wrong' },
      { username: 'admin', password: 'changeit' },
      { token },
    ])
      expect(await refusal(connect(auth))).toBe('invalid credentials');
  });

  /** bcrypt rejects what is no text, in a middleware whose rejection nobody handles: it ended the process. */
  it('survives a password that is no text', async () => {
    const wrong = [{ username: 'operator' }, { username: 'operator', password: 1 }, { sessionId: { a: 1 } }];
    for (const auth of wrong) expect(await refusal(connect(auth))).toBe('invalid credentials');
    await alice.does('room:list', {});
  });

  it('is read-only: its commands do nothing', async () => {
    const socket = connect(right);
    await heard(socket, 'config');
    socket.emit('join', '/chat', 'room:secret');
    socket.emit('emit', '/chat', undefined, 'message:new', { forged: true });
    socket.emit('_disconnect', '/chat', true);
    socket.emit('leave', '/chat', `user:${alice.id}`);
    // Two statistics later the server has long read all four.
    await heard(socket, 'server_stats');
    await heard(socket, 'server_stats');
    const { room } = await alice.does('room:create', { name: 'Still here', type: 'private' });
    await alice.sends(room.id, 'fence');
    await alice.receives('message:new', { content: 'fence' });
    expect(alice.inbox.all('disconnect')).toEqual([]);
    expect(alice.got('message:new').filter((message) => 'forged' in message)).toEqual([]);
  });

  it('leaves the other namespaces to our own handshake', async () => {
    // FORBIDDEN is what a handshake with fields we do not know is told.
    for (const namespace of ['/', '/chat', '/admin'])
      expect(await refusal(connect(right, namespace))).toBe('Forbidden');
    expect(await refusal(connect({}, '/chat'))).toBe('Authentication required');
    expect(await refusal(connect({ token: alice.session.accessToken }, '/admin'))).toBe('Forbidden');
  });

  it('is not there unless it is asked for, and its guesses are limited', async () => {
    const plain = await TestServer.start();
    const limited = await TestServer.start({ SOCKETIO_ADMIN_PASSWORD: HASH, LOGINS_LIMIT: '3' });
    try {
      expect(await refusal(connect(right, '/socketio-admin', plain.url))).toBe('Invalid namespace');
      const wrong = { username: 'admin', password: 'guess' };
      for (let guess = 0; guess < 3; guess++)
        expect(await refusal(connect(wrong, '/socketio-admin', limited.url))).toBe('invalid credentials');
      const last = { username: 'admin', password: 'changeit' };
      expect(await refusal(connect(last, '/socketio-admin', limited.url))).toBe('Too many requests');
    } finally {
      await plain.stop();
      await limited.stop();
    }
  });
});

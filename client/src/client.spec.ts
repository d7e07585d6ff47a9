/** The connection and the room handle against a scripted server: what a real one only does on a bad day. */
import { FAST, ScriptedServer } from '../test/scripted-server.js';
import { createClient, type ClientOptions, type ConnectionState, type ParleyClient } from './index.js';

describe('ParleyClient against a scripted server', () => {
  let server: ScriptedServer;
  let url: string;
  const clients: ParleyClient[] = [];
  const client = (options: Partial<ClientOptions> = {}): ParleyClient => {
    const made = createClient({
      url,
      getToken: () => 'token',
      transports: ['websocket'],
      ...options,
      timing: { ...FAST, ...options.timing },
    });
    clients.push(made);
    return made;
  };
  const until = async (what: string, check: () => boolean) => {
    const deadline = Date.now() + 5000;
    while (!check()) {
      if (Date.now() > deadline) throw new Error(`never: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };

  beforeEach(async () => {
    server = new ScriptedServer();
    url = await server.start();
  });
  afterEach(async () => {
    for (const each of clients.splice(0)) each.close();
    await server.stop();
  });

  describe('connection', () => {
    it('goes from idle over connecting to connected, and is closed when told', async () => {
      const alice = client();
      const states: ConnectionState[] = [];
      alice.on('state', ({ state }) => states.push(state));
      await expect(alice.connect()).resolves.toMatchObject({ userId: 'me' });
      alice.close();
      expect(states).toEqual(['connecting', 'connected', 'closed']);
      expect(alice.closeReason).toBe('BY_CLIENT');
      await expect(alice.send('room:list', {})).rejects.toMatchObject({ code: 'CLOSED' });
    });

    it('comes back after a cut, with the same token, and after the server disconnected it', async () => {
      let asked = 0;
      const alice = client({ getToken: () => `token ${String((asked += 1))}` });
      await alice.connect();
      server.cut();
      await until('reconnecting', () => alice.state === 'reconnecting');
      await alice.connect();
      server.disconnect();
      await until('reconnecting', () => alice.state === 'reconnecting');
      await alice.connect();
      expect(server.tokens).toEqual(['token 1', 'token 1', 'token 1']);
    });

    it('asks for a new token when the kept one is refused', async () => {
      let asked = 0;
      const alice = client({ getToken: () => `token ${String((asked += 1))}` });
      await alice.connect();
      server.refuse = (token) =>
        token === 'token 1'
          ? { message: 'Token expired', code: 'TOKEN_EXPIRED', retryable: true }
          : undefined;
      server.cut();
      await until('reconnecting', () => alice.state === 'reconnecting');
      await alice.connect();
      expect(server.tokens).toEqual(['token 1', 'token 1', 'token 2']);
    });

    it('is closed by a refusal that no retry can change, and rejects connect with it', async () => {
      server.refuse = () => ({ message: 'User not found', code: 'UNAUTHENTICATED', retryable: false });
      const alice = client();
      await expect(alice.connect()).rejects.toMatchObject({ code: 'UNAUTHENTICATED', requestId: 'q' });
      expect(alice.state).toBe('closed');
      expect(alice.closeReason).toBe('UNAUTHENTICATED');
      expect(server.tokens).toHaveLength(1);
    });

    it('waits as long as a busy server says', async () => {
      let busy = 2;
      server.refuse = () =>
        (busy -= 1) < 0
          ? undefined
          : { message: 'Server busy', code: 'UNAVAILABLE', retryable: true, retryAfterMs: 100 };
      const alice = client();
      const began = Date.now();
      await alice.connect();
      expect(Date.now() - began).toBeGreaterThanOrEqual(200);
    });

    it('is closed when getToken fails at first', async () => {
      const alice = client({ getToken: () => Promise.reject(new Error('signed out')) });
      await expect(alice.connect()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    });

    it('says offline while the server cannot be reached, and returns', async () => {
      const alice = client({ url: 'http://127.0.0.1:9' });
      const connecting = alice.connect({ timeoutMs: 2000 });
      await until('offline', () => alice.state === 'offline');
      await expect(connecting).rejects.toMatchObject({ code: 'TIMEOUT' });
      expect(alice.state).toBe('offline');
    });

    it('obeys session:closing without reconnect', async () => {
      const alice = client();
      await alice.connect();
      server.emit('session:closing', { code: 'SUSPENDED', reconnect: false });
      await until('closed', () => alice.state === 'closed');
      expect(alice.closeReason).toBe('SUSPENDED');
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(server.tokens).toHaveLength(1);
    });

    it('finishes what is under way when the server drains, keeps new commands, and returns when told', async () => {
      const alice = client();
      await alice.connect();
      server.handlers.set('room:leave', (_, ack) => setTimeout(() => ack({ status: 'ok' }), 50));
      server.handlers.set('room:list', (_, ack) => ack({ status: 'ok', rooms: [] }));
      const leaving = alice.send('room:leave', { roomId: 'r' });
      await until('received', () => server.count('room:leave') === 1);
      server.emit('session:closing', { code: 'DRAIN', reconnect: true, retryAfterMs: 200 });
      await leaving;
      const listing = alice.send('room:list', {});
      const began = Date.now();
      server.disconnect();
      await listing;
      expect(Date.now() - began).toBeGreaterThanOrEqual(190);
      expect(server.tokens).toHaveLength(2);
    });

    it('renews the token on session:expiring', async () => {
      let asked = 0;
      const alice = client({ getToken: () => `token ${String((asked += 1))}` });
      await alice.connect();
      server.handlers.set('auth:refresh', (_, ack) =>
        ack({ status: 'ok', expiresAt: new Date(Date.now() + 60_000).toISOString() }),
      );
      server.emit('session:expiring', { expiresAt: new Date().toISOString() });
      await until('refreshed', () => server.count('auth:refresh') === 1);
      expect(server.received[0]?.payload).toEqual({ token: 'token 2' });
    });

    // A token that was nearly over at the handshake was announced to end before the session was ready. The client only
    // renewed while connected, ignored it, and was thrown out when the token ended.
    it('renews the token once the session is ready when session:expiring came before it', async () => {
      let asked = 0;
      const expiresAt = () => new Date(Date.now() + 60_000).toISOString();
      server.handlers.set('auth:refresh', (_, ack) => ack({ status: 'ok', expiresAt: expiresAt() }));
      server.beforeReady = (socket) => socket.emit('session:expiring', { expiresAt: expiresAt() });
      const alice = client({ getToken: () => `token ${String((asked += 1))}` });
      await alice.connect();
      await until('refreshed', () => server.count('auth:refresh') === 1);
      expect(server.received).toEqual([{ event: 'auth:refresh', payload: { token: 'token 2' } }]);
    });
  });

  describe('commands', () => {
    it('reject with the refusal of the server', async () => {
      const alice = client();
      const error = {
        code: 'RATE_LIMITED',
        message: 'Slow down',
        retryable: true,
        retryAfterMs: 70,
        requestId: 'q7',
      };
      server.handlers.set('room:list', (_, ack) => ack({ status: 'error', error }));
      await expect(alice.send('room:list', {})).rejects.toMatchObject(error);
    });

    it('reject by time and by signal', async () => {
      const alice = client();
      server.handlers.set('room:list', () => undefined);
      await expect(alice.send('room:list', {}, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'TIMEOUT' });
      const controller = new AbortController();
      const aborted = alice.send('room:list', {}, { signal: controller.signal });
      controller.abort(new Error('enough'));
      await expect(aborted).rejects.toMatchObject({ code: 'ABORTED', cause: new Error('enough') });
    });

    it('repeat a read whose answer was lost, and reject anything else', async () => {
      const alice = client();
      await alice.connect();
      server.handlers.set('room:list', (_, ack) => {
        if (server.count('room:list') > 1) ack({ status: 'ok', rooms: [] });
      });
      server.handlers.set('room:leave', () => {
        server.cut();
      });
      const listing = alice.send('room:list', {});
      const leaving = alice.send('room:leave', { roomId: 'r' });
      await expect(leaving).rejects.toMatchObject({ code: 'DISCONNECTED', retryable: true });
      await expect(listing).resolves.toEqual({ rooms: [] });
      expect(server.count('room:leave')).toBe(1);
    });

    it('are repeated once with a new token', async () => {
      let asked = 0;
      const alice = client({ getToken: () => `token ${String((asked += 1))}` });
      server.handlers.set('auth:refresh', (_, ack) =>
        ack({ status: 'ok', expiresAt: new Date(Date.now() + 60_000).toISOString() }),
      );
      server.handlers.set('room:leave', (_, ack) =>
        server.count('auth:refresh') === 1
          ? ack({ status: 'ok' })
          : ack({
              status: 'error',
              error: { code: 'TOKEN_EXPIRED', message: 'x', retryable: true, requestId: 'q' },
            }),
      );
      await alice.send('room:leave', { roomId: 'r' });
      expect(server.received.map(({ event }) => event)).toEqual(['room:leave', 'auth:refresh', 'room:leave']);
    });
  });

  describe('room', () => {
    beforeEach(() => {
      server.serveRoom();
    });

    it('joins with history and tells what comes, once, in order', async () => {
      server.write('before');
      const room = await client().room('r').join();
      const told: string[] = [];
      room.on('message', ({ content }) => told.push(content));
      expect(room.messages.map(({ content }) => content)).toEqual(['before']);
      const [one, two] = [
        server.write('one', undefined, 'other', true),
        server.write('two', undefined, 'other', true),
      ];
      server.emit('message:new', two);
      server.emit('message:new', one);
      server.emit('message:new', two);
      await until('told', () => told.length === 2);
      expect(told).toEqual(['one', 'two']);
      expect(server.count('room:sync')).toBe(0);
      expect(room.isCurrent).toBe(true);
    });

    it('takes a batch as that many messages: told one by one, drawn once', async () => {
      const alice = client({ timing: { ...FAST, holeGraceMs: 5000 } });
      const room = await alice.join('r');
      const told: string[] = [];
      const raw: string[] = [];
      const names: string[] = [];
      room.on('message', ({ content }) => told.push(content));
      alice.on('message:new', ({ content }) => raw.push(content));
      alice.onAny((event) => names.push(event));
      const contents = Array.from({ length: 12 }, (_, index) => String(index));
      const messages = contents.map((content) => server.write(content, undefined, 'other', true));
      // The later ones first, the middle twice: with batches, too, only `rev` says what is where.
      server.emit('message:batch', { roomId: 'r', messages: messages.slice(8) });
      server.emit('message:batch', { roomId: 'r', messages: messages.slice(0, 5) });
      await until('the first five', () => told.length === 5);
      let drawn = 0;
      room.on('change', () => (drawn += 1));
      server.emit('message:batch', { roomId: 'r', messages: messages.slice(3, 8) });
      await until('all', () => told.length === contents.length);
      expect(told).toEqual(contents);
      expect(drawn).toBe(1);
      expect(server.count('room:sync')).toBe(0);
      await until('all as they came', () => raw.length === 14);
      expect(raw).toEqual([8, 9, 10, 11, 0, 1, 2, 3, 4, 3, 4, 5, 6, 7].map(String));
      expect(new Set(names)).toEqual(new Set(['message:new']));
    });

    it('fetches what is missing before a batch, and tells no more of one after close()', async () => {
      const alice = client();
      const room = await alice.join('r');
      const told: string[] = [];
      room.on('message', ({ content }) => told.push(content));
      const write = () => server.write('x', undefined, 'other', true);
      const [, ...messages] = [write(), write(), write()];
      server.emit('message:batch', { roomId: 'r', messages });
      await until('hole filled', () => told.length === 3);
      let raw = 0;
      alice.on('message:new', () => {
        raw += 1;
        alice.close();
      });
      server.emit('message:batch', { roomId: 'r', messages: [write(), write()] });
      await until('closed', () => alice.state === 'closed');
      expect(raw).toBe(1);
    });

    it('asks for batches unless it is told not to, in /chat only', async () => {
      server.open('/notifications', () => ['notification:counts', { unread: 0, unseen: 0, version: 1 }]);
      for (const batch of [undefined, true, false]) {
        const each = client(batch === undefined ? {} : { batch });
        await each.connect();
        each.notifications.on('counts', () => undefined);
        await until('in both', () => each.notifications.state === 'joined');
        expect(server.auths.splice(0)).toEqual([
          { token: 'token', protocol: 1, ...(batch !== false && { batch: true }) },
          { token: 'token', protocol: 1 },
        ]);
      }
    });

    it('fetches what never came, by a hole or by a position', async () => {
      const room = await client({ timing: { ...FAST, positionsMs: 100 } }).join('r');
      const told: string[] = [];
      room.on('message', ({ content }) => told.push(content));
      server.write('lost', undefined, 'other', true);
      server.write('came');
      await until('hole filled', () => told.length === 2);
      server.write('lost tail', undefined, 'other', true);
      await until('tail found', () => told.length === 3);
      expect(told).toEqual(['lost', 'came', 'lost tail']);
    });

    it('catches up after a reconnect', async () => {
      const alice = client();
      const room = await alice.join('r');
      const told: string[] = [];
      room.on('message', ({ content }) => told.push(content));
      server.cut();
      server.write('while away');
      await until('caught up', () => told.length === 1);
      server.write('after');
      await until('live', () => told.length === 2);
      expect(told).toEqual(['while away', 'after']);
    });

    it('reads afresh when the log does not reach back, and says so', async () => {
      const room = await client().join('r');
      let resets = 0;
      room.on('reset', () => (resets += 1));
      server.handlers.set('room:sync', (_, ack) =>
        ack({ status: 'ok', messages: [], rev: 0, hasMore: false, reset: true }),
      );
      server.write('lost', undefined, 'other', true);
      server.write('came');
      await until('reset', () => resets === 1);
      expect(room.messages.map(({ content }) => content)).toEqual(['lost', 'came']);
      expect(room.rev).toBe(2);
    });

    it('does not join again a room it was removed from while away', async () => {
      const room = await client().join('r');
      const reasons: string[] = [];
      room.on('left', ({ reason }) => reasons.push(reason));
      server.handlers.set('room:positions', (_, ack) => ack({ status: 'ok', positions: {} }));
      server.cut();
      await until('left', () => reasons.length === 1);
      expect(room.status).toBe('left');
      expect(server.count('room:join')).toBe(1);
    });

    // Leaving (or a kick) stopped the catch-up, and only a reconnect started it again: whoever came back to the room
    // was shown nothing more after the first lost event.
    it.each(['leave', 'kick'])('fills holes also after a %s and a new join', async (how) => {
      const room = await client().join('r');
      server.handlers.set('room:leave', (_, ack) => ack({ status: 'ok' }));
      if (how === 'leave') await room.leave();
      else server.emit('room:removed', { roomId: 'r', reason: 'kicked' });
      await until('left', () => room.status === 'left');
      server.write('while out');
      await room.join();
      const told: string[] = [];
      room.on('message', ({ content }) => told.push(content));
      server.write('lost', undefined, 'other', true);
      server.write('came');
      await until('hole filled', () => told.length === 2);
      expect(told).toEqual(['lost', 'came']);
    });

    it('sends through cuts and limits in order, shows each message exactly once, and doubles none', async () => {
      const alice = client();
      const room = await alice.join('r');
      const take = server.handlers.get('message:send');
      let sends = 0;
      server.handlers.set('message:send', (payload, ack, socket) => {
        sends += 1;
        if (sends % 4 === 0)
          ack({
            status: 'error',
            error: { code: 'RATE_LIMITED', message: 'x', retryable: true, retryAfterMs: 5, requestId: 'q' },
          });
        else if (sends % 3 === 0) {
          take?.(payload, () => undefined, socket);
          server.cut();
        } else take?.(payload, ack, socket);
      });
      const shown: number[] = [];
      const contents = Array.from({ length: 12 }, (_, index) => String(index));
      room.on('change', () => {
        const both = [
          ...room.messages.map(({ content }) => content),
          ...room.outgoing.map(({ content }) => content),
        ];
        shown.push(both.length);
        expect(new Set(both).size).toBe(both.length);
      });
      const sending = contents.map((content) => room.send(content));
      expect(room.outgoing).toHaveLength(12);
      await Promise.all(sending);
      await until('all shown', () => room.outgoing.length === 0 && room.messages.length === 12);
      expect(server.log.map(({ content }) => content)).toEqual(contents);
      expect(room.messages.map(({ content }) => content)).toEqual(contents);
      expect(Math.max(...shown)).toBe(12);
    });

    it('shows a final refusal and can be told to try again', async () => {
      const room = await client().join('r');
      const take = server.handlers.get('message:send');
      server.handlers.set('message:send', (_, ack) =>
        ack({
          status: 'error',
          error: { code: 'ROOM_FROZEN', message: 'x', retryable: false, requestId: 'q' },
        }),
      );
      await expect(room.send('x')).rejects.toMatchObject({ code: 'ROOM_FROZEN' });
      expect(room.outgoing).toMatchObject([{ state: 'failed', error: { code: 'ROOM_FROZEN' } }]);
      if (take !== undefined) server.handlers.set('message:send', take);
      await room.retry(room.outgoing[0]?.clientMessageId ?? '');
      await until('shown', () => room.outgoing.length === 0 && room.messages.length === 1);
    });
  });
});

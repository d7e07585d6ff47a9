/** What the presence part knows, whom it asks for, and what remains of it over reconnects; against a scripted server. */
import type { Presence, PresenceStatus } from '../../src/contract/presence.js';
import { FAST, ScriptedServer } from '../test/scripted-server.js';
import { createClient, type ParleyClient } from './index.js';

describe('client.presence', () => {
  let server: ScriptedServer;
  let alice: ParleyClient;
  /** Who can be seen, and how. */
  let visible: Map<string, PresenceStatus>;
  let direct: string[];

  const users = (ids: readonly string[]): Presence[] =>
    ids.flatMap((userId) => {
      const status = visible.get(userId);
      return status === undefined ? [] : [{ userId, username: userId, status }];
    });
  const idsOf = (payload: Record<string, unknown>) => payload['userIds'] as string[];
  const asked = () =>
    server.received
      .filter(({ event }) => event.endsWith('watch'))
      .map(({ event, payload }) => [event.slice('presence:'.length), idsOf(payload)]);
  const current = (): Promise<void> =>
    new Promise((resolve) => {
      if (alice.presence.isCurrent) resolve();
      alice.presence.on('current', (isCurrent) => {
        if (isCurrent) resolve();
      });
    });
  const status = (userId: string) => alice.presence.get(userId)?.status;

  beforeEach(async () => {
    server = new ScriptedServer();
    visible = new Map([
      ['bob', 'online'],
      ['carol', 'away'],
      ['dave', 'offline'],
    ]);
    direct = [];
    server.open('/presence', () => ['presence:list', { users: users(direct), of: 'direct' }]);
    server.handlers.set('presence:watch', (payload, ack, socket) => {
      socket.emit('presence:list', { users: users(idsOf(payload)), of: 'watched' });
      ack({ status: 'ok' });
    });
    server.handlers.set('presence:unwatch', (_, ack) => {
      ack({ status: 'ok' });
    });
    server.handlers.set('presence:activity', (_, ack) => {
      ack({ status: 'ok' });
    });
    alice = createClient({
      url: await server.start(),
      getToken: () => 'token',
      transports: ['websocket'],
      timing: { ...FAST, activityMs: 60_000 },
    });
  });
  afterEach(async () => {
    alice.close();
    await server.stop();
  });

  it('asks for all who are watched at one moment in one command, and for nobody twice', async () => {
    const watches = [['bob'], ['bob', 'carol'], ['dave', 'nobody']].map((ids) => alice.presence.watch(ids));
    await Promise.all(watches.map(({ ready }) => ready));
    expect(asked()).toEqual([['watch', ['bob', 'carol', 'dave', 'nobody']]]);
    expect(['bob', 'carol', 'dave', 'nobody'].map(status)).toEqual(['online', 'away', 'offline', undefined]);
    await alice.presence.watch(['carol']).ready;
    expect(asked()).toHaveLength(1);
  });

  it('ends a watch when the last who wanted it has', async () => {
    const [one, two] = [alice.presence.watch(['bob', 'carol']), alice.presence.watch(['bob'])];
    await Promise.all([one.ready, two.ready]);
    const forgotten: string[] = [];
    alice.presence.on('forgotten', (ids) => forgotten.push(...ids));
    one.stop();
    one.stop();
    expect(forgotten).toEqual(['carol']);
    // Commands leave in order.
    await alice.presence.watch(['dave']).ready;
    expect(asked()).toEqual([
      ['watch', ['bob', 'carol']],
      ['unwatch', ['carol']],
      ['watch', ['dave']],
    ]);
    expect(status('bob')).toBe('online');
    two.stop();
    const again = alice.presence.watch(['bob']);
    await again.ready;
    // Wanted again before it was told.
    expect(asked()).toHaveLength(3);
  });

  it('follows differences, and forgets those who cannot be seen any more', async () => {
    await alice.presence.watch(['bob', 'carol']).ready;
    const changes: string[] = [];
    const forgotten = new Promise((resolve) => alice.presence.on('forgotten', resolve));
    alice.presence.on('change', (list) =>
      changes.push(...list.map(({ userId, status }) => `${userId} ${status}`)),
    );
    server.emit(
      'presence:update',
      { users: [{ userId: 'bob', username: 'bob', status: 'busy' }] },
      '/presence',
    );
    server.emit('presence:removed', { userIds: ['carol'] }, '/presence');
    expect(await forgotten).toEqual(['carol']);
    expect(changes).toEqual(['bob busy']);
    expect([status('bob'), status('carol')]).toEqual(['busy', undefined]);
    // They share a room again.
    await alice.presence.watch(['carol']).ready;
    expect(asked().at(-1)).toEqual(['watch', ['carol']]);
    expect(status('carol')).toBe('away');
  });

  it('knows the people of direct rooms without a watch, also of one made since', async () => {
    direct = ['bob'];
    alice.presence.on('change', () => undefined);
    await alice.connect();
    await current();
    expect(status('bob')).toBe('online');
    const changed = new Promise((resolve) => alice.presence.on('change', resolve));
    server.emit('presence:list', { users: users(['carol']), of: 'direct' }, '/presence');
    await changed;
    const watch = alice.presence.watch(['bob', 'carol']);
    await watch.ready;
    watch.stop();
    expect([status('bob'), status('carol')]).toEqual(['online', 'away']);
  });

  // Such a list was taken for the answer of the watch when the watch had asked for the same people: it was `ready`
  // while the others were unknown, and the list that did answer made all of them people of direct rooms for ever.
  it('does not take the list of a direct room for the answer of a watch', async () => {
    let answer = (): void => undefined;
    const listed = new Promise<void>((resolve) => {
      server.handlers.set('presence:watch', (_, ack, socket) => {
        socket.emit('presence:list', { users: users(['bob']), of: 'direct' });
        answer = () => {
          socket.emit('presence:list', { users: users(['bob', 'carol']), of: 'watched' });
          socket.emit('presence:list', { users: users(['bob']), of: 'direct' });
          ack({ status: 'ok' });
        };
        resolve();
      });
    });
    const told = new Promise((resolve) => alice.presence.on('change', resolve));
    let isReady = false;
    const watch = alice.presence.watch(['bob', 'carol']);
    const ready = watch.ready.then(() => (isReady = true));
    await Promise.all([listed, told]);
    expect([status('bob'), status('carol')]).toEqual(['online', undefined]);
    expect([isReady, alice.presence.isCurrent]).toEqual([false, false]);
    answer();
    await ready;
    expect([status('carol'), alice.presence.isCurrent]).toEqual(['away', true]);
    watch.stop();
    expect([status('bob'), status('carol')]).toEqual(['online', undefined]);
  });

  // The list that came after the watch was stopped brought them back, and nothing ever took them out again.
  it('knows nothing of those whose watch was stopped before it was answered', async () => {
    let stop = (): void => undefined;
    const answer = server.handlers.get('presence:watch');
    server.handlers.set('presence:watch', (payload, ack, socket) => {
      stop();
      answer?.(payload, ack, socket);
    });
    const watch = alice.presence.watch(['bob']);
    stop = () => {
      watch.stop();
      stop = () => undefined;
    };
    await watch.ready;
    await alice.presence.watch(['carol']).ready;
    expect([status('bob'), status('carol')]).toEqual([undefined, 'away']);
  });

  it('keeps what it knew while the connection is down, and then asks anew for all in one command', async () => {
    direct = ['dave'];
    await Promise.all([alice.presence.watch(['bob']).ready, alice.presence.watch(['carol']).ready]);
    await current();
    const lost = new Promise((resolve) => alice.presence.on('current', resolve));
    visible.set('bob', 'offline');
    visible.delete('carol');
    direct = [];
    server.cut();
    expect(await lost).toBe(false);
    expect(['bob', 'carol', 'dave'].map(status)).toEqual(['online', 'away', 'offline']);
    await current();
    expect(['bob', 'carol', 'dave'].map(status)).toEqual(['offline', undefined, undefined]);
    expect(asked()).toEqual([
      ['watch', ['bob', 'carol']],
      ['watch', ['bob', 'carol']],
    ]);
  });

  it('asks again when the answer to a watch was lost', async () => {
    let isLost = true;
    const answer = server.handlers.get('presence:watch');
    server.handlers.set('presence:watch', (payload, ack, socket) => {
      if (isLost) server.cut();
      else answer?.(payload, ack, socket);
      isLost = false;
    });
    await alice.presence.watch(['bob']).ready;
    expect(status('bob')).toBe('online');
    expect(asked()).toHaveLength(2);
  });

  it('waits as long as the server says, and ends watches it refuses', async () => {
    const answer = server.handlers.get('presence:watch');
    const error = { message: 'no', requestId: 'q' };
    server.handlers.set('presence:watch', (payload, ack, socket) => {
      if (server.count('presence:watch') > 1) answer?.(payload, ack, socket);
      else
        ack({
          status: 'error',
          error: { ...error, code: 'RATE_LIMITED', retryable: true, retryAfterMs: 50 },
        });
    });
    await alice.presence.watch(['bob']).ready;
    server.handlers.set('presence:watch', (_, ack) => {
      ack({ status: 'error', error: { ...error, code: 'LIMIT_EXCEEDED', retryable: false } });
    });
    await expect(alice.presence.watch(['bob', 'carol']).ready).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
    expect(alice.presence.isCurrent).toBe(true);
    expect(status('bob')).toBe('online');
  });

  it('refuses what the server would refuse, without asking', async () => {
    const many = Array.from({ length: 501 }, (_, index) => String(index));
    await expect(alice.presence.watch(many).ready).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    await expect(alice.presence.watch(['']).ready).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    await alice.presence.watch([]).ready;
    alice.close();
    await alice.connect();
    const answered = new Promise((resolve) => server.handlers.set('presence:watch', resolve));
    const waiting = alice.presence.watch(['bob']).ready;
    await answered;
    alice.close();
    await expect(waiting).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(alice.presence.watch(['bob']).ready).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('tells what one has set, by any device, the newest', async () => {
    server.handlers.set('presence:set', ({ status, text }, ack, socket) => {
      socket.emit('presence:own', { status, text });
      if (text === 'first') socket.emit('presence:own', { status: 'busy' });
      ack({ status: 'ok', presence: { status, text } });
    });
    expect(await alice.presence.set('away', { text: 'lunch' })).toEqual({ status: 'away', text: 'lunch' });
    expect(alice.presence.own).toEqual({ status: 'away', text: 'lunch' });
    await alice.presence.set('away', { text: 'first' });
    expect(alice.presence.own).toEqual({ status: 'busy' });
    await alice.presence.set('away', { until: new Date(0) });
    expect(server.received.at(-1)?.payload).toEqual({ status: 'away', until: '1970-01-01T00:00:00.000Z' });
  });

  it('sends activity once in a while, and only while connected', async () => {
    alice.presence.activity();
    expect(alice.state).toBe('idle');
    await alice.connect();
    for (let call = 0; call < 5; call += 1) alice.presence.activity();
    // There is no page to listen to.
    alice.presence.trackActivity()();
    await alice.presence.watch(['bob']).ready;
    expect(server.count('presence:activity')).toBe(1);
  });

  it('listens to the page only when asked to, and until told not to', async () => {
    const page = new EventTarget();
    const added = jest.fn(page.addEventListener.bind(page));
    Object.assign(globalThis, {
      addEventListener: added,
      removeEventListener: page.removeEventListener.bind(page),
    });
    try {
      await alice.connect();
      added.mockClear();
      const stop = alice.presence.trackActivity();
      stop();
      page.dispatchEvent(new Event('keydown'));
      await alice.presence.watch(['bob']).ready;
      expect(server.count('presence:activity')).toBe(0);
      alice.presence.trackActivity();
      page.dispatchEvent(new Event('keydown'));
      await alice.presence.watch(['carol']).ready;
      expect(server.count('presence:activity')).toBe(1);
    } finally {
      Reflect.deleteProperty(globalThis, 'addEventListener');
      Reflect.deleteProperty(globalThis, 'removeEventListener');
    }
  });
});

import type { Actor } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';

describe('rooms', () => {
  let server: TestServer;
  let alice: Actor, bob: Actor, carol: Actor;
  beforeAll(async () => {
    server = await TestServer.start();
    [alice, bob, carol] = await server.actors('alice', 'bob', 'carol');
  });
  afterAll(() => server.stop());

  it('of their own kind: who can find, join and write', async () => {
    await alice.does('room:create', { roomId: 'open', name: 'Open', type: 'public' });
    await alice.does('room:create', { roomId: 'closed', name: 'Closed', type: 'private' });
    await alice.does('room:create', { roomId: 'news', name: 'News', type: 'announcement' });

    expect(await bob.refused('message:send', { roomId: 'open', content: 'x' })).toMatchObject({
      code: 'NOT_A_MEMBER',
    });
    // Whether a closed room exists is not told: both answers are the same.
    const closed = await bob.refused('room:join', { roomId: 'closed', roomName: 'Mine' });
    const absent = await bob.refused('room:join', { roomId: 'never-made' });
    expect({ ...closed, requestId: '' }).toEqual({ ...absent, requestId: '' });
    expect(closed.code).toBe('NOT_FOUND');

    await bob.does('room:join', { roomId: 'news' });
    expect(await bob.refused('message:send', { roomId: 'news', content: 'x' })).toMatchObject({
      code: 'FORBIDDEN',
    });
    const { messageId } = await alice.sends('news', 'Today');
    await bob.receives('message:new', { id: messageId });
    await bob.does('message:react', { messageId, emoji: '🎉', on: true });
  });

  it('a direct room is one per set of people, and both are told', async () => {
    const { room } = await alice.does('room:create', { type: 'direct', memberIds: [bob.id] });
    expect(room).toMatchObject({ type: 'direct', name: 'bob', members: { count: 2 } });
    expect(await bob.receives('room:added', { room: { id: room.id } })).toMatchObject({
      room: { name: 'alice' },
    });
    const again = await bob.does('room:create', { type: 'direct', memberIds: [alice.id, bob.id] });
    expect(again.room.id).toBe(room.id);
    expect(await bob.refused('room:leave', { roomId: room.id })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await carol.refused('room:join', { roomId: room.id })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await alice.refused('room:create', { type: 'direct', memberIds: [] })).toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    expect(await alice.refused('room:create', { type: 'direct', memberIds: ['nobody'] })).toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('a hundred people who open the same direct room at once get one', async () => {
    const rooms = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        (index % 2 ? alice : carol).does('room:create', {
          type: 'direct',
          memberIds: [(index % 2 ? carol : alice).id],
        }),
      ),
    );
    expect(new Set(rooms.map(({ room }) => room.id)).size).toBe(1);
  });

  it('invited, raised, handed over, left', async () => {
    const roomId = 'crew';
    await alice.does('room:create', { roomId, name: 'Crew', type: 'private', memberIds: [bob.id] });
    await bob.receives('room:added', { room: { id: roomId, role: 'member' } });
    expect(await bob.refused('room:invite', { roomId, userId: carol.id })).toMatchObject({
      code: 'FORBIDDEN',
    });
    expect(await alice.refused('room:invite', { roomId, userId: 'nobody' })).toMatchObject({
      code: 'NOT_FOUND',
    });
    await alice.does('room:invite', { roomId, userId: carol.id });
    await carol.receives('room:added', { room: { id: roomId } });
    await bob.receives('room:user-joined', { roomId, userId: carol.id });
    // Whoever was added is subscribed without doing anything.
    const { messageId } = await alice.sends(roomId, 'welcome');
    await carol.receives('message:new', { id: messageId });

    expect(await alice.refused('room:leave', { roomId })).toMatchObject({ code: 'CONFLICT' });
    await alice.does('room:role', { roomId, userId: bob.id, role: 'owner' });
    expect(await bob.receives('room:updated', { room: { id: roomId, role: 'owner' } })).toBeDefined();
    await alice.does('room:leave', { roomId });
    await alice.receives('room:removed', { roomId, reason: 'left' });
    await bob.receives('room:user-left', { roomId, userId: alice.id });
    expect(await alice.refused('message:history', { roomId })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await bob.refused('room:role', { roomId, userId: bob.id, role: 'member' })).toMatchObject({
      code: 'CONFLICT',
    });
    expect(await carol.refused('room:kick', { roomId, userId: bob.id })).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('somebody removed hears nothing more, on any device, and cannot come back to a private room', async () => {
    const roomId = 'secret';
    await alice.does('room:create', {
      roomId,
      name: 'Secret',
      type: 'private',
      memberIds: [bob.id, carol.id],
    });
    const phone = await server.connected(bob.session);
    await bob.receives('room:added', { room: { id: roomId } });
    await phone.does('room:join', { roomId });
    await alice.does('room:kick', { roomId, userId: bob.id });
    await Promise.all([
      bob.receives('room:removed', { roomId, reason: 'kicked' }),
      phone.receives('room:removed', { roomId }),
    ]);
    await alice.sends(roomId, 'behind his back');
    // A later event on the same road: bob is in another room with alice.
    await alice.does('room:join', { roomId: 'lobby', roomName: 'Lobby' });
    await bob.does('room:join', { roomId: 'lobby' });
    await phone.does('room:join', { roomId: 'lobby' });
    await Promise.all([bob.hasSeenEverythingOf('lobby', alice), phone.hasSeenEverythingOf('lobby', alice)]);
    for (const device of [bob, phone])
      expect(device.got('message:new').filter((message) => message.roomId === roomId)).toEqual([]);
    expect(await bob.refused('room:join', { roomId })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await bob.refused('room:sync', { roomId, since: 0 })).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('changes reach everybody with their own role; archived rooms are read only', async () => {
    const roomId = 'project';
    await alice.does('room:create', { roomId, name: 'Project', type: 'public' });
    await bob.does('room:join', { roomId });
    const { room } = await alice.does('room:update', {
      roomId,
      topic: 'Ship it',
      slowModeSeconds: 0,
      name: 'Project X',
    });
    expect(room).toMatchObject({ name: 'Project X', topic: 'Ship it', role: 'owner' });
    expect(await bob.receives('room:updated', { room: { id: roomId, topic: 'Ship it' } })).toMatchObject({
      room: { role: 'member' },
    });
    expect(await alice.receives('room:updated', { room: { id: roomId } })).toMatchObject({
      room: { role: 'owner' },
    });
    expect(await bob.refused('room:update', { roomId, name: 'Mine' })).toMatchObject({ code: 'FORBIDDEN' });

    const { messageId } = await bob.sends(roomId, 'last words');
    await alice.does('room:update', { roomId, archived: true });
    expect(await bob.refused('message:send', { roomId, content: 'x' })).toMatchObject({
      code: 'ROOM_ARCHIVED',
    });
    expect(await bob.refused('message:edit', { messageId, content: 'x' })).toMatchObject({
      code: 'ROOM_ARCHIVED',
    });
    expect((await bob.does('message:history', { roomId })).messages).toHaveLength(1);
    await alice.does('room:update', { roomId, archived: false });
    await bob.sends(roomId, 'again');
  });

  it('slow mode makes members wait, not owners', async () => {
    const roomId = 'slow';
    await alice.does('room:create', { roomId, name: 'Slow', type: 'public' });
    await bob.does('room:join', { roomId });
    await alice.does('room:update', { roomId, slowModeSeconds: 60 });
    await bob.sends(roomId, 'one');
    const refused = await bob.refused('message:send', { roomId, content: 'two' });
    expect(refused).toMatchObject({ code: 'SLOW_MODE', retryable: true });
    expect(refused.retryAfterMs).toBeGreaterThan(50_000);
    await alice.sends(roomId, 'one');
    await alice.sends(roomId, 'two');
  });

  /** `last_sent_at` is of the membership: leaving and coming back was the way around slow mode. */
  it('slow mode is not passed by leaving and coming back: newcomers wait one interval', async () => {
    const roomId = 'slower';
    await alice.does('room:create', { roomId, name: 'Slower', type: 'public' });
    await alice.does('room:update', { roomId, slowModeSeconds: 60 });
    await bob.does('room:join', { roomId });
    expect((await bob.refused('message:send', { roomId, content: 'one' })).code).toBe('SLOW_MODE');
    await bob.does('room:leave', { roomId });
    await alice.does('room:invite', { roomId, userId: bob.id });
    const refused = await bob.refused('message:send', { roomId, content: 'two' });
    expect(refused.code).toBe('SLOW_MODE');
    expect(refused.retryAfterMs).toBeGreaterThan(50_000);
  });

  /** Names and topics could hold line breaks and overrides that make one room look like another. */
  it('names are one line, topics text; both are what they look like', async () => {
    const { room } = await alice.does('room:create', { name: '  Fish & Chips 🐟 ', type: 'public' });
    expect(room.name).toBe('Fish & Chips 🐟');
    const roomId = room.id;
    for (const name of ['two\nlines', 'bell\u0007', 'evil\u202egpj.exe', '   '])
      for (const [command, payload] of [
        ['room:create', { name, type: 'public' }],
        ['room:join', { roomId: 'unmade', roomName: name }],
        ['room:update', { roomId, name }],
      ] as const)
        expect(await alice.refused(command, payload)).toMatchObject({ code: 'VALIDATION_FAILED' });
    const { room: changed } = await alice.does('room:update', { roomId, topic: 'First\nsecond' });
    expect(changed.topic).toBe('First\nsecond');
    for (const topic of ['bell\u0007', 'a\ttab', 'evil\u202egpj.exe'])
      expect(await alice.refused('room:update', { roomId, topic })).toMatchObject({
        code: 'VALIDATION_FAILED',
      });
  });

  /** An "emoji" could be invisible, or look like another one. */
  it('reactions can be seen', async () => {
    const roomId = 'reacted';
    await alice.does('room:create', { roomId, name: 'Reacted', type: 'public' });
    const { messageId } = await alice.sends(roomId, 'hello');
    for (const emoji of [
      '👍',
      '👩‍👩‍👧',
      '❤️',
      '1️⃣',
      '🏳️‍🌈',
      '🇺🇦',
      '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}',
      ':shipit:',
    ])
      await alice.does('message:react', { messageId, emoji, on: true });
    for (const emoji of [
      '\u200d',
      '\ufe0f',
      '\u3164',
      '\u0301',
      '👍\u200b',
      '👍\u202e',
      '👍\u0007',
      '\u{e0067}',
    ])
      expect(await alice.refused('message:react', { messageId, emoji, on: true })).toMatchObject({
        code: 'VALIDATION_FAILED',
      });
  });

  it('members come in pages with who is online; the list of rooms too, with the last message', async () => {
    const roomId = 'full';
    const away = await server.register('away');
    await alice.does('room:create', {
      roomId,
      name: 'Full',
      type: 'public',
      memberIds: [bob.id, away.user.id],
    });
    const { members, cursor } = await bob.does('room:members', { roomId });
    expect(cursor).toBeUndefined();
    expect(members.map(({ username, online, role }) => [username, online, role]).sort()).toEqual([
      ['alice', true, 'owner'],
      ['away', false, 'member'],
      ['bob', true, 'member'],
    ]);
    await alice.sends(roomId, 'hello');
    const list = await bob.does('room:list', {});
    const summary = list.rooms.find(({ room }) => room.id === roomId);
    expect(summary).toMatchObject({
      readState: { unread: 1 },
      lastMessage: { content: 'hello' },
      room: { members: { count: 3, online: 2 } },
    });
    const rest = await bob.rest('GET', '/rooms');
    expect(rest).toMatchObject({ status: 200, body: { hasMore: false } });
    expect((rest.body as { data: unknown[] }).data).toEqual(list.rooms);
  });

  it('over REST by the same rules, seen live by sockets', async () => {
    const created = await alice.rest('POST', '/rooms', { roomId: 'rested', name: 'Rested', type: 'private' });
    expect(created).toMatchObject({ status: 201, body: { room: { id: 'rested', role: 'owner' } } });
    expect(await alice.rest('POST', '/rooms', { roomId: 'rested', name: 'R', type: 'public' })).toMatchObject(
      { status: 409, body: { code: 'CONFLICT' } },
    );
    expect(await bob.rest('GET', '/rooms/rested')).toMatchObject({
      status: 404,
      body: { code: 'NOT_FOUND' },
    });
    expect(await alice.rest('POST', '/rooms/rested/members', { userId: bob.id })).toMatchObject({
      status: 204,
    });
    await bob.receives('room:added', { room: { id: 'rested' } });
    expect(await alice.rest('PATCH', `/rooms/rested/members/${bob.id}`, { role: 'admin' })).toMatchObject({
      status: 204,
    });
    expect(await bob.rest('PATCH', '/rooms/rested', { topic: 'By REST' })).toMatchObject({
      status: 200,
      body: { room: { topic: 'By REST', role: 'admin' } },
    });
    expect(await bob.rest('GET', '/rooms/rested/members')).toMatchObject({
      status: 200,
      body: { hasMore: false },
    });
    expect(await bob.rest('DELETE', `/rooms/rested/members/${bob.id}`)).toMatchObject({ status: 204 });
    await bob.receives('room:removed', { roomId: 'rested', reason: 'left' });
    expect(await alice.rest('DELETE', '/rooms/rested')).toMatchObject({ status: 200 });
    expect(await alice.refused('message:send', { roomId: 'rested', content: 'x' })).toMatchObject({
      code: 'ROOM_ARCHIVED',
    });
  });

  it('only administrators freeze a room; a frozen one is read only until it is opened again', async () => {
    const admin = { ADMIN_USERNAME: 'root', ADMIN_PASSWORD: 'correct horse battery' };
    const guarded = await TestServer.start(admin);
    try {
      const [dora, emil] = await guarded.actors('dora', 'emil');
      const root = guarded.actor(await guarded.login('root'));
      const roomId = 'heated';
      await dora.does('room:create', { roomId, name: 'Heated', type: 'public', memberIds: [emil.id] });
      const { messageId } = await emil.sends(roomId, 'words');
      const because = { reason: 'A quarrel' };
      expect(await dora.rest('PUT', `/admin/rooms/${roomId}/freeze`, because)).toMatchObject({
        status: 403,
        body: { code: 'FORBIDDEN' },
      });

      // Whoever freezes a room need not be in it.
      expect(await root.rest('PUT', `/admin/rooms/${roomId}/freeze`, because)).toMatchObject({ status: 204 });
      const { room } = await emil.receives('room:updated', { room: { id: roomId } });
      expect(room.frozenAt).toBeDefined();
      const writes: [string, object][] = [
        ['message:send', { roomId, content: 'more' }],
        ['message:edit', { messageId, content: 'other words' }],
        ['message:delete', { messageId }],
        ['message:react', { messageId, emoji: '🔥', on: true }],
        ['typing:start', { roomId }],
        ['room:signal', { roomId, kind: 'cursor', data: 1 }],
      ];
      for (const [command, payload] of writes)
        for (const person of [dora, emil])
          if (command !== 'message:edit' || person === emil)
            expect(await person.refused(command, payload)).toMatchObject({ code: 'ROOM_FROZEN' });
      expect((await emil.does('message:history', { roomId })).messages).toMatchObject([
        { content: 'words', rev: 1 },
      ]);

      expect(await root.rest('DELETE', `/admin/rooms/${roomId}/freeze?reason=Calm`)).toMatchObject({
        status: 204,
      });
      await emil.sends(roomId, 'calmer words');
    } finally {
      await guarded.stop();
    }
  });

  it('ROOM_CREATION=admin does not tell whether a closed room exists', async () => {
    const strict = await TestServer.start({ ROOM_CREATION: 'admin' });
    try {
      const [dora, emil, fay] = await strict.actors('dora', 'emil', 'fay');
      const { room } = await dora.does('room:create', { type: 'direct', memberIds: [emil.id] });
      for (const roomName of ['X', undefined]) {
        const closed = await fay.refused('room:join', { roomId: room.id, roomName });
        const absent = await fay.refused('room:join', { roomId: 'absent', roomName });
        expect({ ...closed, requestId: '' }).toEqual({ ...absent, requestId: '' });
      }
    } finally {
      await strict.stop();
    }
  });

  /** Only the limit on all commands, 600 a minute, held back who filled the list of somebody else with rooms. */
  it('who makes rooms and invites all the time is held back, over both roads together', async () => {
    const strict = await TestServer.start({ ROOMS_LIMIT: '3' });
    try {
      const [dora, emil] = await strict.actors('dora', 'emil');
      await dora.does('room:create', { roomId: 'one', name: 'One', type: 'private' });
      await dora.does('room:invite', { roomId: 'one', userId: emil.id });
      expect(await dora.rest('POST', '/rooms', { name: 'Two', type: 'private' })).toMatchObject({
        status: 201,
      });
      expect(await dora.refused('room:create', { name: 'Three', type: 'private' })).toMatchObject({
        code: 'RATE_LIMITED',
      });
      expect(await dora.rest('POST', '/rooms/one/members', { userId: emil.id })).toMatchObject({
        status: 429,
      });
      await emil.does('room:create', { name: 'Mine', type: 'private' });
    } finally {
      await strict.stop();
    }
  });

  it('ROOM_CREATION=admin leaves direct rooms to everybody', async () => {
    const strict = await TestServer.start({ ROOM_CREATION: 'admin' });
    try {
      const [dora, emil] = await strict.actors('dora', 'emil');
      expect(await dora.refused('room:create', { name: 'X', type: 'public' })).toMatchObject({
        code: 'FORBIDDEN',
      });
      expect(await dora.refused('room:join', { roomId: 'x', roomName: 'X' })).toMatchObject({
        code: 'FORBIDDEN',
      });
      await dora.does('room:create', { type: 'direct', memberIds: [emil.id] });
    } finally {
      await strict.stop();
    }
  });
});

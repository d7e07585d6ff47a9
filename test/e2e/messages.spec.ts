import type { Actor } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';

describe('messages', () => {
  let server: TestServer;
  let alice: Actor, bob: Actor, carol: Actor;
  beforeAll(async () => {
    server = await TestServer.start();
    [alice, bob, carol] = await server.actors('alice', 'bob', 'carol');
  });
  afterAll(() => server.stop());

  async function room(roomId: string, ...members: Actor[]): Promise<string> {
    await alice.does('room:create', {
      roomId,
      name: roomId,
      type: 'public',
      memberIds: members.map(({ id }) => id),
    });
    return roomId;
  }

  it('the same client id is the same message, for ever', async () => {
    const roomId = await room('idempotent', bob);
    const request = { roomId, content: 'once', clientMessageId: 'c1' };
    const first = await bob.does('message:send', request);
    expect(await bob.does('message:send', request)).toEqual({ ...first, deduplicated: true });
    expect(await bob.refused('message:send', { ...request, content: 'twice' })).toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
    // Another sender's ids are their own.
    expect((await alice.does('message:send', request)).messageId).not.toBe(first.messageId);

    await bob.does('message:edit', { messageId: first.messageId, content: 'edited' });
    expect(await bob.does('message:send', request)).toEqual({ ...first, deduplicated: true });
    await bob.does('message:delete', { messageId: first.messageId });
    expect(await bob.does('message:send', request)).toEqual({ ...first, deduplicated: true });
    await alice.does('room:kick', { roomId, userId: bob.id });
    expect(await bob.does('message:send', request)).toEqual({ ...first, deduplicated: true });
    expect(await bob.refused('message:send', { ...request, clientMessageId: 'c2' })).toMatchObject({
      code: 'NOT_A_MEMBER',
    });
    await alice.does('room:invite', { roomId, userId: bob.id });
    await bob.hasSeenEverythingOf(roomId, alice);
    expect(bob.got('message:new').filter(({ id }) => id === first.messageId)).toHaveLength(1);
  });

  it('over REST the Idempotency-Key is the client id', async () => {
    const roomId = await room('keyed');
    const send = (key: string, content = 'x') =>
      alice.rest('POST', `/rooms/${roomId}/messages`, { content }, { 'Idempotency-Key': key });
    const first = await send('k1');
    expect(first).toMatchObject({ status: 201, body: { seq: 1, deduplicated: false } });
    expect((await send('k1')).body).toEqual({ ...(first.body as object), deduplicated: true });
    expect(await send('k1', 'y')).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_CONFLICT' } });
    expect(await alice.does('message:send', { roomId, content: 'x', clientMessageId: 'k1' })).toMatchObject({
      deduplicated: true,
    });
  });

  it('an application has types and data of its own, kept as they were sent', async () => {
    const roomId = await room('typed', bob);
    const data = { z: 1, a: [{ op: 'insert', at: 3 }], text: 'ä𝄞' };
    const sent = await alice.does('message:send', { roomId, content: '', type: 'x-document.op', data });
    const received = await bob.receives('message:new', { id: sent.messageId });
    expect(JSON.stringify(received.data)).toBe(JSON.stringify(data));
    const { messages } = await bob.does('message:history', { roomId });
    expect(messages).toEqual([received]);
    expect(JSON.stringify(messages[0]?.data)).toBe(JSON.stringify(data));
    expect(await alice.refused('message:send', { roomId, content: 'x', data })).toMatchObject({
      details: [{ path: 'data' }],
    });
    expect(
      await alice.refused('message:send', { roomId, content: '', type: 'x-a', data: 'ä'.repeat(5000) }),
    ).toMatchObject({ details: [{ path: 'data' }] });
  });

  it('content is counted in code points, after trimming', async () => {
    const roomId = await room('long');
    await alice.sends(roomId, ` ${'𝄞'.repeat(5000)} `);
    expect(await alice.refused('message:send', { roomId, content: '𝄞'.repeat(5001) })).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: [{ path: 'content' }],
    });
    expect(await alice.refused('message:send', { roomId, content: ' \n\t ' })).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: [{ path: 'content' }],
    });
  });

  it("a thread has its own list and is in nobody's unread count", async () => {
    const roomId = await room('threads', bob);
    const root = await alice.sends(roomId, 'root');
    await bob.does('message:read', { roomId, seq: root.seq });
    const reply = await alice.sends(roomId, 'in the thread', { threadId: root.messageId });
    expect(reply.rev).toBe(2);
    const updated = await bob.receives('message:updated', { id: root.messageId, rev: 3 });
    expect(updated.thread).toEqual({ replies: 1, lastReplyAt: reply.createdAt });
    const list = await bob.does('room:list', {});
    expect(list.rooms.find((summary) => summary.room.id === roomId)).toMatchObject({
      readState: { unread: 0 },
      lastMessage: { id: root.messageId },
    });
    expect((await bob.does('message:history', { roomId })).messages.map(({ id }) => id)).toEqual([
      root.messageId,
    ]);
    expect(
      (await bob.does('message:history', { roomId, threadId: root.messageId })).messages.map(({ id }) => id),
    ).toEqual([reply.messageId]);
    expect(
      await bob.refused('message:send', { roomId, content: 'x', threadId: reply.messageId }),
    ).toMatchObject({ details: [{ path: 'threadId' }] });
    await alice.does('message:delete', { messageId: reply.messageId });
    expect((await bob.receives('message:updated', { id: root.messageId, rev: 5 })).thread).toBeUndefined();
  });

  it('mentions are of members, and are counted until read', async () => {
    const roomId = await room('mentions', bob);
    expect(
      await alice.refused('message:send', { roomId, content: '@carol', mentions: [bob.id, carol.id] }),
    ).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: [{ path: 'mentions.1', problem: 'is not a member of the room' }],
    });
    const sent = await alice.sends(roomId, '@bob', { mentions: [bob.id] });
    expect(await bob.receives('room:read-state', { roomId, mentions: 1 })).toMatchObject({
      unread: 1,
      lastReadSeq: 0,
    });
    expect(
      await bob.refused('message:send', { roomId, content: '@room', mentions: ['@room'] }),
    ).toMatchObject({ code: 'FORBIDDEN' });
    await alice.sends(roomId, '@room', { mentions: ['@room'] });
    await bob.receives('room:read-state', { roomId, mentions: 2, unread: 2 });
    // A deleted message is neither unread nor a mention.
    await alice.does('message:delete', { messageId: sent.messageId });
    await bob.receives('room:read-state', { roomId, mentions: 1, unread: 1 });
    expect((await bob.rest('GET', '/me/unread')).body).toMatchObject({
      rooms: expect.arrayContaining([expect.objectContaining({ roomId, mentions: 1 })]) as unknown,
    });
    const { readState } = await bob.does('message:read', { roomId, seq: 99 });
    expect(readState).toMatchObject({ lastReadSeq: 2, unread: 0, mentions: 0 });
  });

  it('a read position only moves forward, on all devices, and others see it', async () => {
    const roomId = await room('reading', bob);
    const phone = await server.connected(bob.session);
    for (let index = 0; index < 5; index++) await alice.sends(roomId, `m${String(index)}`);
    expect((await bob.does('message:read', { roomId, seq: 4 })).readState).toMatchObject({
      lastReadSeq: 4,
      unread: 1,
    });
    await phone.receives('room:read-state', { roomId, lastReadSeq: 4, unread: 1 });
    await alice.receives('message:read', { roomId, cursors: { 0: { userId: bob.id, seq: 4 } } });
    const back = await bob.does('message:read', { roomId, seq: 1 });
    expect(back.readState).toMatchObject({ lastReadSeq: 4, unread: 1 });
    expect(await bob.refused('message:read', { roomId })).toMatchObject({ details: [{ path: 'seq' }] });
    // Sending moves it to the own message.
    const sent = await bob.sends(roomId, 'mine');
    const { readState } = await bob.does('room:join', { roomId });
    expect(readState).toMatchObject({ lastReadSeq: sent.seq, unread: 0 });
  });

  it('unread counts are exact to 99', async () => {
    const roomId = await room('busy', bob);
    for (let index = 0; index < 99; index++) await alice.sends(roomId, String(index));
    expect((await bob.does('room:join', { roomId })).readState.unread).toBe(99);
    for (let index = 0; index < 3; index++) await alice.sends(roomId, String(index));
    expect((await bob.does('room:join', { roomId })).readState.unread).toBe(100);
  });

  it('history before, after and around; sync in pages, complete, with a reset where it cannot be', async () => {
    const roomId = await room('pages', bob);
    const ids: string[] = [];
    for (let index = 1; index <= 30; index++) ids.push((await alice.sends(roomId, String(index))).messageId);
    const seqs = async (bounds: object) => {
      const page = await bob.does('message:history', { roomId, limit: 10, ...bounds });
      return { seqs: page.messages.map(({ seq }) => seq), hasMore: page.hasMore };
    };
    const range = (from: number, to: number) =>
      Array.from({ length: to - from + 1 }, (_, index) => from + index);
    expect(await seqs({})).toEqual({ seqs: range(21, 30), hasMore: true });
    expect(await seqs({ before: 11 })).toEqual({ seqs: range(1, 10), hasMore: false });
    expect(await seqs({ after: 10 })).toEqual({ seqs: range(11, 20), hasMore: true });
    expect(await seqs({ after: 20 })).toEqual({ seqs: range(21, 30), hasMore: false });
    expect(await seqs({ around: 15 })).toEqual({ seqs: range(10, 19), hasMore: true });
    expect(await seqs({ around: 2 })).toEqual({ seqs: range(1, 10), hasMore: true });
    expect(await bob.refused('message:history', { roomId, before: 1, after: 2 })).toMatchObject({
      code: 'VALIDATION_FAILED',
    });

    await alice.does('message:edit', { messageId: ids[0] as string, content: 'edited' });
    await alice.does('message:delete', { messageId: ids[1] as string });
    const first = await bob.does('room:sync', { roomId, since: 5, limit: 20 });
    expect(first).toMatchObject({ rev: 25, hasMore: true });
    const second = await bob.does('room:sync', { roomId, since: first.rev });
    expect(second).toMatchObject({ rev: 32, hasMore: false });
    expect(second.messages.slice(-2)).toMatchObject([
      { seq: 1, content: 'edited' },
      { seq: 2, content: '' },
    ]);
    expect(await bob.does('room:sync', { roomId, since: 32 })).toMatchObject({
      messages: [],
      rev: 32,
      hasMore: false,
    });
    expect(await bob.does('room:sync', { roomId, since: 33 })).toMatchObject({ messages: [], reset: true });
    expect((await bob.rest('GET', `/rooms/${roomId}/changes?since=5&limit=20`)).body).toEqual(
      withoutStatus(first),
    );
    expect((await bob.does('room:positions', { roomIds: [roomId, 'never-made'] })).positions).toEqual({
      [roomId]: 32,
    });
  });

  it('a sync page ends at 256 kB and goes on', async () => {
    const roomId = await room('heavy');
    for (let index = 0; index < 30; index++) await alice.sends(roomId, 'ä'.repeat(5000));
    let since = 0;
    const seen: number[] = [];
    for (let more = true; more;) {
      const page = await alice.does('room:sync', { roomId, since });
      expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThan(300_000);
      seen.push(...page.messages.map(({ seq }) => seq));
      [since, more] = [page.rev, page.hasMore];
    }
    expect(seen).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
  });

  it('newcomers of a since_join room see nothing older, nor changes of it', async () => {
    const roomId = 'confidential';
    await alice.does('room:create', {
      roomId,
      name: 'C',
      type: 'private',
      history: 'since_join',
      memberIds: [bob.id],
    });
    const old = await alice.sends(roomId, 'before carol');
    await alice.does('room:invite', { roomId, userId: carol.id });
    await carol.receives('room:added', { room: { id: roomId } });
    expect((await carol.does('message:history', { roomId })).messages).toEqual([]);
    expect((await carol.does('room:sync', { roomId, since: 0 })).messages).toEqual([]);
    await alice.does('message:edit', { messageId: old.messageId, content: 'still before carol' });
    await bob.receives('message:updated', { id: old.messageId });
    const reply = await bob.sends(roomId, 'new', { replyTo: old.messageId });
    const received = await carol.receives('message:new', { id: reply.messageId });
    expect(received.replyTo?.excerpt).toBe('');
    expect(carol.got('message:updated').filter(({ id }) => id === old.messageId)).toEqual([]);
    expect(
      await carol.refused('message:react', { messageId: old.messageId, emoji: '👀', on: true }),
    ).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('reactions are idempotent, counted exactly, and bounded', async () => {
    const roomId = await room('reactions', bob);
    const { messageId } = await alice.sends(roomId, 'react to me');
    const on = await bob.does('message:react', { messageId, emoji: '👍', on: true });
    expect(await bob.does('message:react', { messageId, emoji: '👍', on: true })).toEqual(on);
    const both = await alice.does('message:react', { messageId, emoji: '👍', on: true });
    expect(both.message.reactions).toEqual([{ emoji: '👍', count: 2, userIds: [bob.id, alice.id] }]);
    await bob.does('message:react', { messageId, emoji: '👍', on: false });
    const { body } = await alice.rest(
      'DELETE',
      `/messages/${messageId}/reactions/${encodeURIComponent('👍')}`,
    );
    expect((body as { message: { reactions: unknown[] } }).message.reactions).toEqual([]);
    for (let index = 0; index < 30; index++)
      await bob.does('message:react', { messageId, emoji: `:e${String(index)}:`, on: true });
    expect(await bob.refused('message:react', { messageId, emoji: ':e30:', on: true })).toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
  });

  it('who may change what', async () => {
    const roomId = await room('rights', bob);
    const { messageId } = await alice.sends(roomId, 'hers');
    const mine = await bob.sends(roomId, 'his');
    expect(await bob.refused('message:edit', { messageId, content: 'x' })).toMatchObject({
      code: 'FORBIDDEN',
    });
    expect(await bob.refused('message:delete', { messageId })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await bob.refused('message:pin', { messageId, on: true })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await alice.refused('message:edit', { messageId: mine.messageId, content: 'x' })).toMatchObject({
      code: 'FORBIDDEN',
    });
    const pinned = await alice.does('message:pin', { messageId, on: true });
    expect(pinned.message.pinnedAt).toBeDefined();
    await bob.receives('message:updated', { id: messageId });
    const deleted = await alice.does('message:delete', { messageId: mine.messageId, reason: 'spam' });
    expect(await alice.does('message:delete', { messageId: mine.messageId })).toEqual(deleted);
    expect(await bob.refused('message:edit', { messageId: mine.messageId, content: 'x' })).toMatchObject({
      code: 'NOT_FOUND',
    });
    // Of a room one is not in, a message does not exist.
    const hidden = await alice.does('room:create', { roomId: 'hidden', name: 'H', type: 'private' });
    const secret = await alice.sends(hidden.room.id, 'x');
    expect(await bob.refused('message:delete', { messageId: secret.messageId })).toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(
      await bob.refused('message:send', { roomId, content: 'x', replyTo: secret.messageId }),
    ).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('typing reaches the others, never the typist, and ends by itself', async () => {
    const roomId = await room('typing', bob);
    const phone = await server.connected(alice.session);
    await alice.does('typing:start', { roomId });
    await bob.receives('typing:update', { roomId, userId: alice.id, isTyping: true });
    await bob.receives('typing:update', { roomId, userId: alice.id, isTyping: false });
    await alice.does('typing:start', { roomId });
    await alice.does('typing:stop', { roomId });
    await alice.does('typing:start', { roomId });
    await alice.sends(roomId, 'a message ends it too');
    await bob.inbox.until(() => bob.got('typing:update').length === 6, 'the second and third start and stop');
    await Promise.all([alice.hasSeenEverythingOf(roomId, bob), phone.hasSeenEverythingOf(roomId, bob)]);
    expect([...alice.got('typing:update'), ...phone.got('typing:update')]).toEqual([]);
    expect(await carol.refused('typing:start', { roomId })).toMatchObject({ code: 'NOT_A_MEMBER' });
  });

  it('signals are passed on and not stored; of a burst the newest arrives', async () => {
    const roomId = await room('signals', bob);
    for (let at = 0; at < 50; at++)
      alice.socket.emit('room:signal', { roomId, kind: 'cursor', data: { at } });
    await bob.receives('room:signal', { roomId, userId: alice.id, kind: 'cursor', data: { at: 49 } });
    expect(bob.got('room:signal').length).toBeLessThan(50);
    await alice.hasSeenEverythingOf(roomId, bob);
    expect(alice.got('room:signal')).toEqual([]);
    expect(await bob.rest('POST', `/rooms/${roomId}/signals`, { kind: 'lobby', data: 3 })).toMatchObject({
      status: 204,
    });
    await alice.receives('room:signal', { kind: 'lobby', data: 3, userId: bob.id });
  });

  it('a client without acknowledgements joins, reads and writes by events, and is told of refusals', async () => {
    const dora = await server.connected(await server.register('dora'));
    dora.socket.emit('room:join', { roomId: 'ackless', roomName: 'Ackless' });
    dora.socket.emit('message:send', { roomId: 'ackless', content: 'join-then-send without waiting' });
    await dora.receives('room:joined', { room: { id: 'ackless' } });
    await dora.receives('room:history', { roomId: 'ackless' });
    expect((await dora.receives('room:members', { roomId: 'ackless' })).members).toHaveLength(1);
    const { id } = await dora.receives('message:new', { roomId: 'ackless' });
    dora.socket.emit('message:edit', { messageId: id, content: 'edited' });
    await dora.receives('message:updated', { content: 'edited' });
    dora.socket.emit('message:send', { roomId: 'ackless' });
    expect(await dora.receives('error', { event: 'message:send' })).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: [{ path: 'content' }],
    });
    dora.socket.emit('room:join', { roomId: 'ackless', since: 1 });
    expect(await dora.receives('room:history', { roomId: 'ackless', rev: 2 })).toMatchObject({
      messages: [{ id, rev: 2 }],
    });
  });
});

function withoutStatus(answer: object): object {
  return Object.fromEntries(Object.entries(answer).filter(([key]) => key !== 'status'));
}

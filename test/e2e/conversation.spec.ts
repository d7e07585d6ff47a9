import { TestServer } from '../harness/server.js';

describe('a conversation', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start();
  });
  afterAll(() => server.stop());

  it('two people meet in a room, write, answer, react, edit and delete', async () => {
    const [alice, bob] = await server.actors('alice', 'bob');
    const joined = await alice.does('room:join', { roomId: 'general', roomName: 'General' });
    expect(joined.room).toMatchObject({
      id: 'general',
      name: 'General',
      type: 'public',
      role: 'owner',
      members: { count: 1, online: 1 },
    });
    await bob.does('room:join', { roomId: 'general' });
    await alice.receives('room:user-joined', { userId: bob.id, username: 'bob' });

    const sent = await alice.sends('general', '  hello  ');
    expect(sent).toMatchObject({ seq: 1, rev: 1, deduplicated: false });
    const received = await bob.receives('message:new', { id: sent.messageId });
    expect(received).toMatchObject({
      content: 'hello',
      sender: { id: alice.id, name: 'alice' },
      seq: 1,
      rev: 1,
    });
    await alice.receives('message:new', { id: sent.messageId });

    const reply = await bob.sends('general', 'hi', { replyTo: sent.messageId });
    await alice.receives('message:new', {
      id: reply.messageId,
      replyTo: { id: sent.messageId, seq: 1, excerpt: 'hello' },
    });

    const { message: reacted } = await bob.does('message:react', {
      messageId: sent.messageId,
      emoji: '👍',
      on: true,
    });
    expect(reacted).toMatchObject({ rev: 3, reactions: [{ emoji: '👍', count: 1, userIds: [bob.id] }] });
    await alice.receives('message:updated', { id: sent.messageId, rev: 3 });
    await alice.does('message:edit', { messageId: sent.messageId, content: 'hello all' });
    await bob.receives('message:updated', { content: 'hello all', rev: 4 });
    const { message: tombstone } = await alice.does('message:delete', { messageId: sent.messageId });
    expect(tombstone).toMatchObject({ content: '', reactions: [], rev: 5 });
    expect(tombstone.deletedAt).toBeDefined();
    await bob.receives('message:deleted', { id: sent.messageId });

    const { messages } = await bob.does('message:history', { roomId: 'general' });
    expect(messages.map(({ seq, content }) => [seq, content])).toEqual([
      [1, ''],
      [2, 'hi'],
    ]);
    const synced = await bob.does('room:sync', { roomId: 'general', since: 0 });
    expect(synced).toMatchObject({ rev: 5, hasMore: false });
    expect(synced.messages.map(({ rev }) => rev)).toEqual([2, 5]);
  });

  it('commands pipelined behind a join wait for it in their order; those for other rooms do not', async () => {
    const [carol] = await server.actors('carol');
    const answers: string[] = [];
    const send = (event: string, payload: object, name: string) =>
      new Promise<void>((resolve) => {
        carol.socket.emit(event, payload, (answer: { status: string }) => {
          answers.push(`${name} ${answer.status}`);
          resolve();
        });
      });
    await Promise.all([
      send('room:join', { roomId: 'piped', roomName: 'Piped' }, 'join'),
      send('message:send', { roomId: 'piped', content: 'first' }, 'first'),
      send('message:send', { roomId: 'piped', content: 'second' }, 'second'),
      send('room:update', { roomId: 'piped', topic: 'Set' }, 'update'),
      send('message:send', { roomId: 'piped', content: 'third' }, 'third'),
      send('message:history', { roomId: 'elsewhere' }, 'elsewhere'),
    ]);
    // Answers come as the commands complete: what waits is behind `room:*`, nothing else.
    expect(answers).toHaveLength(6);
    expect(answers.filter((answer) => answer !== 'elsewhere error')[0]).toBe('join ok');
    expect(answers.at(-1)).toBe('third ok');
    const { messages } = await carol.does('message:history', { roomId: 'piped' });
    expect(messages.map(({ content }) => content)).toEqual(['first', 'second', 'third']);
  });
});

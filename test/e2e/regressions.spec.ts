import type { Actor } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';

/** Each opens with the story of its bug. */
describe('what once went wrong', () => {
  let server: TestServer;
  let alice: Actor, bob: Actor;
  beforeAll(async () => {
    server = await TestServer.start();
    [alice, bob] = await server.actors('alice', 'bob');
  });
  afterAll(() => server.stop());

  // The room of a message was looked up before the change was queued, each look-up on a connection of its own:
  // five edits pipelined by one socket ended in any of the five.
  it('pipelined changes of one message keep their order', async () => {
    const roomId = 'pipelined';
    await alice.does('room:join', { roomId, roomName: 'Pipelined' });
    for (let round = 0; round < 20; round++) {
      const { messageId } = await alice.sends(roomId, 'original');
      await Promise.all([
        ...[1, 2, 3, 4, 5].map((n) => alice.does('message:edit', { messageId, content: String(n) })),
        ...[true, false, true, false].map((on) =>
          alice.does('message:react', { messageId, emoji: '👍', on }),
        ),
      ]);
      const { messages } = await alice.does('message:history', { roomId, limit: 1 });
      expect(messages[0]).toMatchObject({ content: '5', reactions: [] });
    }
  });

  // A message of a private room answered "no such room", one that never was "no such message".
  it('a foreign message and none look the same', async () => {
    await alice.does('room:create', { roomId: 'private', name: 'Private', type: 'private' });
    const { messageId } = await alice.sends('private', 'secret');
    const foreign = await bob.refused('message:delete', { messageId });
    const none = await bob.refused('message:delete', {
      messageId: messageId.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
    });
    expect({ ...foreign, requestId: '' }).toEqual({ ...none, requestId: '' });
  });

  // A reaction and the deletion of its message could meet in one batch, and the reaction was written after the clearing.
  it('a tombstone has no reactions, whatever was under way', async () => {
    const roomId = 'tombstones';
    await alice.does('room:join', { roomId, roomName: 'Tombstones' });
    for (let round = 0; round < 20; round++) {
      const { messageId } = await alice.sends(roomId, 'x');
      await Promise.all([
        alice.ack('message:react', { messageId, emoji: '👍', on: true }),
        alice.ack('message:delete', { messageId }),
      ]);
    }
    const { messages } = await alice.does('message:history', { roomId });
    expect(messages).toHaveLength(20);
    for (const message of messages) expect(message).toMatchObject({ reactions: [], content: '' });
  });
});

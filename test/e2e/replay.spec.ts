import type { ChatCommand, ChatCommands } from '../../src/contract/chat.js';
import type { Message } from '../../src/contract/views.js';
import type { Actor } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';

/** What a client keeps of a room, by the rules of docs/protocol.md: upsert by id and highest rev. */
class RoomState {
  readonly messages = new Map<string, Message>();

  apply(message: Message): void {
    const known = this.messages.get(message.id);
    if (known && known.rev >= message.rev) return;
    this.messages.set(message.id, message);
    // The excerpt of a reply is derived from its target.
    for (const reply of this.messages.values())
      if (reply.replyTo?.id === message.id)
        reply.replyTo = { ...reply.replyTo, excerpt: [...message.content].slice(0, 140).join('') };
  }

  list(): Message[] {
    return [...this.messages.values()].sort((a, b) => a.seq - b.seq);
  }
}

describe('old state and received events make the freshly read state', () => {
  let server: TestServer;
  let alice: Actor, bob: Actor;
  const roomId = 'replayed';
  const live = new RoomState();
  const revs: number[] = [];

  beforeAll(async () => {
    server = await TestServer.start();
    [alice, bob] = await server.actors('alice', 'bob');
    await alice.does('room:join', { roomId, roomName: 'Replayed' });
    await bob.does('room:join', { roomId });
    for (const event of ['message:new', 'message:updated', 'message:deleted'] as const)
      bob.socket.on(event, (message: Message) => {
        live.apply(message);
        revs.push(message.rev);
      });
  });
  afterAll(() => server.stop());

  let first: string;
  let root: string;
  let reply: string;
  const send = async (content: string, more: Partial<ChatCommands['message:send']['payload']> = {}) =>
    (await alice.sends(roomId, content, more)).messageId;

  const steps: [ChatCommand, string, () => Promise<unknown>][] = [
    ['message:send', 'a message', async () => (first = await send('first'))],
    ['message:send', 'with a mention', () => send('hey', { mentions: [bob.id] })],
    ['message:send', 'of an own type', () => send('', { type: 'x-op', data: { b: 1, a: [null] } })],
    ['message:send', 'a reply', () => send('answer', { replyTo: first })],
    ['message:send', 'a thread', async () => (root = await send('root'))],
    ['message:send', 'a reply in the thread', async () => (reply = await send('inside', { threadId: root }))],
    [
      'message:edit',
      'of a message that was replied to',
      () => alice.does('message:edit', { messageId: first, content: 'edited' }),
    ],
    [
      'message:edit',
      'without a change',
      () => alice.does('message:edit', { messageId: first, content: 'edited' }),
    ],
    ['message:react', 'on', () => bob.does('message:react', { messageId: first, emoji: '👍', on: true })],
    [
      'message:react',
      'by another',
      () => alice.does('message:react', { messageId: first, emoji: '👍', on: true }),
    ],
    ['message:react', 'off', () => bob.does('message:react', { messageId: first, emoji: '👍', on: false })],
    ['message:pin', 'on', () => alice.does('message:pin', { messageId: first, on: true })],
    ['message:pin', 'off', () => alice.does('message:pin', { messageId: first, on: false })],
    ['message:delete', 'in the thread', () => alice.does('message:delete', { messageId: reply })],
    [
      'message:delete',
      'of a message that was replied to',
      () => alice.does('message:delete', { messageId: first }),
    ],
    [
      'message:send',
      'many at once',
      () => Promise.all(Array.from({ length: 50 }, (_, index) => send(String(index)))),
    ],
    [
      'message:react',
      'many at once on one message',
      () =>
        Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            bob.does('message:react', { messageId: root, emoji: `:e${String(index)}:`, on: index % 3 > 0 }),
          ),
        ),
    ],
  ];

  it.each(steps)('%s: %s', async (_command, _what, act) => {
    await act();
    const { messages, rev } = await bob.does('room:sync', { roomId, since: 0 });
    await bob.inbox.until(() => revs.at(-1) === rev, `rev ${String(rev)}`);
    expect(live.list()).toEqual([...messages].sort((a, b) => a.seq - b.seq));
    expect(revs).toEqual(Array.from({ length: rev }, (_, index) => index + 1));
  });
});

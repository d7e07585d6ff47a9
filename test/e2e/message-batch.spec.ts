import { createClient, type RoomHandle } from '../../client/src/index.js';
import { CONTRACT_LIMITS } from '../../src/contract/limits.js';
import type { Message } from '../../src/contract/views.js';
import { RealtimeServer } from '../../src/platform/realtime/realtime-server.js';
import { batchChannel, roomChannel, userChannel } from '../../src/platform/realtime/realtime-socket.js';
import type { Actor } from '../harness/actor.js';
import type { Received } from '../harness/inbox.js';
import { TestServer } from '../harness/server.js';
import { Visitor } from '../harness/visitor.js';

interface Batch {
  roomId: string;
  messages: Message[];
}

const CHANGES = ['message:new', 'message:updated', 'message:deleted'];

/** What a device was told of the messages of a room, a batch as the `message:new` it stands for. */
function toldOf({ inbox }: Actor, roomId: string): { event: string; message: Message }[] {
  const single = ({ event, payload }: Received) =>
    event === 'message:batch'
      ? (payload as Batch).messages.map((message) => ({ event: 'message:new', message }))
      : CHANGES.includes(event)
        ? [{ event, message: payload as Message }]
        : [];
  return inbox.events.flatMap(single).filter(({ message }) => message.roomId === roomId);
}
const newIn = (device: Actor, roomId: string) =>
  toldOf(device, roomId).flatMap(({ event, message }) => (event === 'message:new' ? [message.content] : []));

/** One way or the other. */
async function hasMessage(device: Actor, roomId: string, id: string): Promise<void> {
  const has = () => toldOf(device, roomId).some(({ message }) => message.id === id);
  await device.inbox.until(has, `the message ${id}`);
}

/** All on their way at once: the first is written alone, the others together. */
async function burst(writer: Actor, roomId: string, name: string, count = 30): Promise<string[]> {
  const contents = Array.from({ length: count }, (_, index) => `${name} ${String(index)}`);
  await Promise.all(contents.map((content) => writer.sends(roomId, content)));
  return contents;
}

describe('message:batch', () => {
  let server: TestServer;
  let alice: Actor;
  beforeAll(async () => {
    server = await TestServer.start({ MAX_CONNECTIONS_PER_USER: '100' });
    [alice] = await server.actors('alice');
  });
  afterAll(() => server.stop());

  const chat = () => server.app.get(RealtimeServer, { strict: false }).namespace('/chat');
  const membersOf = (channel: string) => [...(chat().adapter.rooms.get(channel) ?? [])].sort();

  /** Somebody with a device of each kind. */
  async function person(username: string): Promise<{ plain: Actor; batching: Actor }> {
    const session = await server.register(username);
    const [plain, batching] = await Promise.all([
      server.connected(session),
      server.connected(session, { batch: true }),
    ]);
    return { plain, batching };
  }

  it('tells the same in the same order, with edits, reactions and deletions in between, and adds up to the room', async () => {
    const roomId = 'mixed';
    const { plain, batching } = await person('bob');
    await alice.does('room:join', { roomId, roomName: 'Mixed' });
    await alice.does('room:join', { roomId: 'beside', roomName: 'Beside' });
    await plain.does('room:join', { roomId });
    await plain.does('room:join', { roomId: 'beside' });
    const targets = await Promise.all(
      Array.from(
        { length: 20 },
        async (_, n) => (await alice.sends(roomId, `target ${String(n)}`)).messageId,
      ),
    );

    const acts: Promise<unknown>[] = [];
    for (let n = 0; n < 200; n += 1) {
      acts.push(alice.sends(roomId, String(n)));
      if (n % 3 === 0) acts.push(alice.sends('beside', String(n)));
      const messageId = targets[Math.floor(n / 10)]!;
      if (n % 10 === 2) acts.push(alice.does('message:edit', { messageId, content: `edited ${String(n)}` }));
      // Never of one that is deleted: the order of two people's commands is nobody's promise.
      if (n % 20 === 15) acts.push(plain.does('message:react', { messageId, emoji: '👍', on: true }));
      if (n % 20 === 8) acts.push(alice.does('message:delete', { messageId }));
    }
    await Promise.all(acts);
    const { messageId } = await alice.sends(roomId, 'the last');
    await Promise.all([plain, batching].map((device) => hasMessage(device, roomId, messageId)));

    const told = toldOf(batching, roomId);
    expect(told).toEqual(toldOf(plain, roomId));
    expect(told.map(({ message }) => message.rev)).toEqual(told.map((_, index) => index + 1));
    expect(new Set(told.map(({ event }) => event))).toEqual(new Set(CHANGES));

    const state = new Map(told.map(({ message }) => [message.id, message]));
    const fresh = await plain.does('room:sync', { roomId, since: 0 });
    expect(fresh.hasMore).toBe(false);
    expect([...state.values()].sort((a, b) => a.rev - b.rev)).toEqual(fresh.messages);

    expect(plain.got('message:batch')).toEqual([]);
    const batches = batching.got('message:batch');
    expect(batches.length).toBeGreaterThan(0);
    for (const { roomId: of, messages } of batches) {
      expect(messages.length).toBeGreaterThan(1);
      expect(messages.length).toBeLessThanOrEqual(CONTRACT_LIMITS.batchMessages);
      expect(messages.map((message) => message.roomId)).toEqual(messages.map(() => of));
      expect(messages.map(({ rev }) => rev)).toEqual(messages.map((_, index) => messages[0]!.rev + index));
    }
    // A batch costs one frame in place of many, so most of the 267 must have come in one.
    expect(batches.flatMap(({ messages }) => messages).length).toBeGreaterThan(batches.length * 2);
  });

  it('a message alone comes as message:new', async () => {
    const roomId = 'quiet';
    const { plain, batching } = await person('quinn');
    await plain.does('room:join', { roomId, roomName: 'Quiet' });
    for (const content of ['one', 'two', 'three']) await plain.sends(roomId, content);
    await batching.receives('message:new', { roomId, content: 'three' });
    expect(batching.got('message:batch')).toEqual([]);
    expect(newIn(batching, roomId)).toEqual(['one', 'two', 'three']);
  });

  it('comes where everybody takes it, and in no larger frames than promised', async () => {
    const roomId = 'modern';
    const { plain, batching } = await person('carol');
    plain.disconnect();
    await batching.does('room:join', { roomId, roomName: 'Modern' });
    const contents = await burst(batching, roomId, 'x'.repeat(4000), 150);
    const { messageId } = await batching.sends(roomId, 'the last');
    await hasMessage(batching, roomId, messageId);
    expect(newIn(batching, roomId)).toEqual([...contents, 'the last']);
    const batches = batching.got('message:batch');
    expect(batches.length).toBeGreaterThan(1);
    for (const { messages } of batches) {
      const bytes = messages.reduce((sum, message) => sum + Buffer.byteLength(JSON.stringify(message)), 0);
      expect(bytes).toBeLessThanOrEqual(CONTRACT_LIMITS.batchBytes);
    }
  });

  it('a device that takes batches is subscribed exactly as one that does not: kick, invite, leave, join', async () => {
    const roomId = 'gate';
    const { plain, batching } = await person('dave');
    const devices = [plain, batching];
    await alice.does('room:join', { roomId, roomName: 'Gate' });
    await alice.does('room:join', { roomId: 'hall', roomName: 'Hall' });
    for (const room of [roomId, 'hall']) await plain.does('room:join', { roomId: room });
    /** A later event on the same road: what came before it is here. */
    const fence = async () => {
      const { messageId } = await alice.sends('hall', 'fence');
      await Promise.all(devices.map((device) => hasMessage(device, 'hall', messageId)));
    };
    const expected: string[] = [];

    expected.push(...(await burst(alice, roomId, 'joined')));
    await fence();
    await alice.does('room:kick', { roomId, userId: plain.id });
    await burst(alice, roomId, 'kicked');
    await fence();
    await alice.does('room:invite', { roomId, userId: plain.id });
    expected.push(...(await burst(alice, roomId, 'invited')));
    await fence();
    await plain.does('room:leave', { roomId });
    await burst(alice, roomId, 'left');
    await fence();
    await batching.does('room:join', { roomId });
    expected.push(...(await burst(alice, roomId, 'joined again')));
    await fence();
    const late = await server.connected(plain.session, { batch: true });
    const sinceLate = await burst(alice, roomId, 'connected late');
    await fence();
    await late.inbox.until(() => newIn(late, roomId).length >= sinceLate.length, 'what came since');

    for (const device of devices) expect(newIn(device, roomId)).toEqual([...expected, ...sinceLate]);
    expect(toldOf(batching, roomId)).toEqual(toldOf(plain, roomId));
    expect(newIn(late, roomId)).toEqual(sinceLate);
    expect(batching.got('message:batch').length).toBeGreaterThan(3);
    expect(plain.got('message:batch')).toEqual([]);
  });

  it('the channel of a room has exactly its sockets that take batches, and ends with them', async () => {
    const roomId = 'channel';
    const { plain, batching } = await person('erin');
    const ids = () => ({ room: membersOf(roomChannel(roomId)), batch: membersOf(batchChannel(roomId)) });
    const [plainId, batchingId] = [plain.socket.id!, batching.socket.id!];

    await plain.does('room:join', { roomId, roomName: 'Channel' });
    expect(ids()).toEqual({ room: [plainId, batchingId].sort(), batch: [batchingId] });
    await alice.does('room:join', { roomId });
    await plain.does('room:role', { roomId, userId: alice.id, role: 'owner' });
    await plain.does('room:leave', { roomId });
    expect(ids()).toEqual({ room: [alice.socket.id!], batch: [] });
    await alice.does('room:invite', { roomId, userId: plain.id });
    expect(ids().batch).toEqual([batchingId]);
    chat().in(userChannel(plain.id)).disconnectSockets();
    expect(ids()).toEqual({ room: [alice.socket.id!], batch: [] });
    expect(chat().adapter.rooms.has(batchChannel(roomId))).toBe(false);
  });

  describe('the handshake', () => {
    it.each(['true', 1, 0, null, {}, []])('refuses batch: %j', async (batch) => {
      const auth = { token: alice.session.accessToken, batch };
      const { data } = await new Visitor(server.url, { auth }).refusal();
      expect(data).toMatchObject({ code: 'VALIDATION_FAILED', details: [{ path: 'auth.batch' }] });
    });

    it.each(['/chat', '/presence', '/notifications'])('takes both values in %s', async (namespace) => {
      for (const batch of [true, false]) {
        const visitor = new Visitor(server.url, {
          namespace,
          auth: { token: alice.session.accessToken, protocol: 1, batch },
        });
        expect(await visitor.entry()).toBeUndefined();
        visitor.leave();
      }
    });
  });

  it('the SDK tells the same with it and without it: each message once, in order, never a batch', async () => {
    const roomId = 'sdk';
    await alice.does('room:join', { roomId, roomName: 'SDK' });
    const devices = await Promise.all(
      [true, false].map(async (batch) => {
        const { accessToken } = await server.register(`frank-${String(batch)}`);
        const client = createClient({ url: server.url, getToken: () => accessToken, batch });
        const room = await client.join(roomId);
        const told: string[] = [];
        const raw: string[] = [];
        const names = new Set<string>();
        room.on('message', ({ content }) => told.push(content));
        client.on('message:new', ({ content }) => raw.push(content));
        client.onAny((event) => names.add(event));
        return { client, room, told, raw, names };
      }),
    );
    expect(membersOf(batchChannel(roomId))).toHaveLength(1);
    const contents = await burst(alice, roomId, 'burst', 200);
    const { messageId } = await alice.sends(roomId, 'the last');
    await Promise.all(devices.map(({ room }) => shows(room, messageId)));
    for (const { client, told, raw, names } of devices) {
      expect(told).toEqual([...contents, 'the last']);
      expect(raw).toEqual(told);
      expect(names).not.toContain('message:batch');
      client.close();
    }
  });
});

function shows(room: RoomHandle, id: string): Promise<void> {
  if (room.message(id)) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = room.on('message', (message) => {
      if (message.id !== id) return;
      stop();
      resolve();
    });
  });
}

import { ParleyError, type Message, type RoomHandle } from '../../client/src/index.js';
import { Connections } from '../../src/platform/realtime/connections.js';
import { RealtimeServer } from '../../src/platform/realtime/realtime-server.js';
import { TestServer } from '../harness/server.js';
import { ClientPeople } from './client-people.js';

const DEADLINE_MS = 8000;

/** Resolves when the handle has been given so many messages. */
function given(told: Message[], room: RoomHandle, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`Was given ${String(told.length)} of ${String(count)} messages`));
    }, DEADLINE_MS);
    const look = () => {
      if (told.length < count) return;
      clearTimeout(timer);
      stop();
      resolve();
    };
    const stop = room.on('message', look);
    look();
  });
}

describe('the client SDK against the real server', () => {
  let server: TestServer;
  let people: ClientPeople;
  beforeAll(async () => {
    server = await TestServer.start();
    people = new ClientPeople(server);
  });
  afterAll(async () => {
    people.close();
    await server.stop();
  });

  it('two people talk: ordered, typed, acknowledged', async () => {
    const [{ client: alice }, { client: bob, user }] = [
      await people.person('alice'),
      await people.person('bob'),
    ];
    const hers = await alice.join('general', { roomName: 'General' });
    const his = await bob.join('general');
    const told: Message[] = [];
    his.on('message', (message) => told.push(message));
    const [first, second] = await Promise.all([hers.send('one'), hers.send('two')]);
    await given(told, his, 2);
    expect(told.map(({ id, content }) => [id, content])).toEqual([
      [first.messageId, 'one'],
      [second.messageId, 'two'],
    ]);
    expect((await his.react(first.messageId, '👍')).reactions).toEqual([
      { emoji: '👍', count: 1, userIds: [user.id] },
    ]);
    await expect(bob.send('room:update', { roomId: 'general', name: 'Mine' })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
    await expect(bob.send('room:join', { roomId: 'not there' })).rejects.toBeInstanceOf(ParleyError);
  });

  it('what was missed while the connection was down arrives once, in order, edits and deletions too', async () => {
    const [{ client: carol }, { client: dave, user: davesUser }] = [
      await people.person('carol'),
      await people.person('dave'),
    ];
    const hers = await carol.join('lossy', { roomName: 'Lossy' });
    const his = await dave.join('lossy');
    const told: Message[] = [];
    his.on('message', (message) => told.push(message));
    const before = await hers.send('before');
    const doomed = await hers.send('doomed');
    await given(told, his, 2);

    people.cut(davesUser.id);
    await hers.edit(before.messageId, 'edited while away');
    await hers.delete(doomed.messageId);
    for (let index = 0; index < 20; index++) await hers.send(`missed ${String(index)}`);
    await given(told, his, 22);
    expect(told.map(({ seq }) => seq)).toEqual(Array.from({ length: 22 }, (_, index) => index + 1));
    expect(his.message(before.messageId)).toMatchObject({ content: 'edited while away' });
    expect(his.message(doomed.messageId)?.deletedAt).toBeDefined();
  });

  it('sends go through cuts of the connection, each once and in order', async () => {
    const [{ client: erin, user }, { client: frank }] = [
      await people.person('erin'),
      await people.person('frank'),
    ];
    const hers = await erin.join('rough', { roomName: 'Rough' });
    const his = await frank.join('rough');
    const told: Message[] = [];
    his.on('message', (message) => told.push(message));
    const contents = Array.from({ length: 30 }, (_, index) => String(index));
    const sent = contents.map((content, index) => {
      const acknowledged = hers.send(content);
      // The cut comes while the acknowledgement of an earlier one is on its way.
      if (index % 10 === 5) void given(told, his, index - 4).then(() => people.cut(user.id));
      return acknowledged;
    });
    await Promise.all(sent);
    await given(told, his, 30);
    expect(told.map(({ content }) => content)).toEqual(contents);
    const { messages } = await frank.send('message:history', { roomId: 'rough', limit: 100 });
    expect(messages.map(({ content }) => content)).toEqual(contents);
  });

  it('somebody removed is told, and does not come back by reconnecting', async () => {
    const [{ client: gina }, { client: hugo, user }] = [
      await people.person('gina'),
      await people.person('hugo'),
    ];
    await gina.join('strict', { roomName: 'Strict' });
    const his = await hugo.join('strict');
    const left = new Promise((resolve) => his.on('left', resolve));
    await gina.send('room:kick', { roomId: 'strict', userId: user.id });
    await left;
    expect(his.status).toBe('left');
    await expect(his.send('let me in')).rejects.toBeInstanceOf(ParleyError);
  });

  // A kick stopped the catch-up of the handle for good: what was lost after a new join was never fetched.
  it('somebody who was removed and joins again gets also what is lost on the way', async () => {
    const [{ client: jane }, { client: kurt, user }] = [
      await people.person('jane'),
      await people.person('kurt'),
    ];
    const hers = await jane.join('again', { roomName: 'Again' });
    const his = await kurt.join('again');
    const left = new Promise((resolve) => his.on('left', resolve));
    await jane.send('room:kick', { roomId: 'again', userId: user.id });
    await left;
    await hers.send('while out');
    await his.join();
    const told: Message[] = [];
    his.on('message', (message) => told.push(message));
    const sockets = [...server.app.get(RealtimeServer).namespace('/chat').sockets.values()];
    const socket = sockets.find(({ data }) => data.actor.userId === user.id);
    await socket?.leave('room:again');
    await hers.send('lost');
    await socket?.join('room:again');
    await hers.send('came');
    await given(told, his, 2);
    expect(told.map(({ content }) => content)).toEqual(['lost', 'came']);
  });

  it('a revoked session stops the client for good', async () => {
    const { client, user } = await people.person('ivan');
    await client.connect();
    const closed = new Promise<void>((resolve) =>
      client.on('state', ({ state }) => state === 'closed' && resolve()),
    );
    server.app.get(Connections).closeUser(user.id, 'SESSION_REVOKED');
    await closed;
    expect(client.closeReason).toBe('SESSION_REVOKED');
  });
});

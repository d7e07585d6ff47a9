import type { ConnectionState, ParleyClient, PartState } from '../../client/src/index.js';
import { request } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';
import { ClientPeople, until } from './client-people.js';

const REASON = 'for the test';

describe('administration through the client SDK', () => {
  let server: TestServer;
  let people: ClientPeople;
  let root: { client: ParleyClient; id: string };
  beforeAll(async () => {
    server = await TestServer.start();
    people = new ClientPeople(server);
    root = await people.administrator();
  });
  afterAll(async () => {
    people.close();
    await server.stop();
  });

  const state = ({ client }: { client: ParleyClient }, wanted: ConnectionState) =>
    until(
      `the client is ${wanted}`,
      () => client.state === wanted,
      (look) => client.on('state', look),
    );
  const part = ({ client: { admin } }: { client: ParleyClient }, wanted: PartState) =>
    until(
      `the part is ${wanted}`,
      () => admin.state === wanted,
      (look) => admin.on('state', look),
    );

  it('is for administrators: everybody else is refused, and chats on', async () => {
    const { client } = await people.person('mallory');
    await expect(client.admin.connections()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(client.admin.state).toBe('refused');
    await client.join('general', { roomName: 'General' });
    expect(client.state).toBe('connected');
  });

  it('shows statistics, and the connections with their namespaces', async () => {
    const { id, client } = await people.person('alice');
    await client.connect();
    await client.notifications.list();
    root.client.admin.on('stats', () => undefined);
    await root.client.connect();
    await until(
      'statistics come',
      () => (root.client.admin.stats?.users ?? 0) >= 2,
      (look) => root.client.admin.on('stats', look),
    );
    expect(root.client.admin.stats).toMatchObject({ nodes: 1 });
    const { connections } = await root.client.admin.connections({ userId: id });
    expect(connections).toHaveLength(1);
    expect(connections[0]).toMatchObject({ userId: id, username: 'alice', transport: 'websocket' });
    expect(connections[0]?.namespaces.toSorted()).toEqual(['/chat', '/notifications']);
  });

  it('a frozen room takes nothing, and each act is told with its reason', async () => {
    const { client } = await people.person('bob');
    const room = await client.join('frosty', { roomName: 'Frosty' });
    const acts: unknown[] = [];
    root.client.admin.on('audit', ({ act, reason, target }) => acts.push([act, target.id, reason]));
    await root.client.admin.freeze('frosty', REASON);
    await expect(room.send('hello?')).rejects.toMatchObject({ code: 'ROOM_FROZEN' });
    await root.client.admin.unfreeze('frosty', REASON);
    const { messageId } = await room.send('hello!');
    const deleted = new Promise((resolve) => room.on('deleted', resolve));
    await root.client.admin.deleteMessage(messageId, REASON);
    expect(await deleted).toMatchObject({ id: messageId, content: '' });
    await until(
      'three acts are told',
      () => acts.length === 3,
      (look) => root.client.admin.on('audit', look),
    );
    expect(acts).toEqual([
      ['room.freeze', 'frosty', REASON],
      ['room.unfreeze', 'frosty', REASON],
      ['message.delete', messageId, REASON],
    ]);
  });

  it('who is suspended is out, for good, until resumed', async () => {
    const carol = await people.person('carol');
    await carol.client.connect();
    await carol.client.notifications.list();
    await root.client.admin.suspend(carol.id, REASON);
    await state(carol, 'closed');
    expect(carol.client.closeReason).toBe('SUSPENDED');
    await expect(people.device('carol')).rejects.toMatchObject({ code: 'SUSPENDED' });
    await root.client.admin.resume(carol.id, REASON);
    const again = await people.device('carol');
    await again.client.connect();
    await root.client.admin.disconnect(carol.id, REASON);
    await state(again, 'closed');
    expect(again.client.closeReason).toBe('SESSION_REVOKED');
    await expect(root.client.admin.suspend(root.id, REASON)).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(root.client.admin.suspend('nobody', REASON)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('who loses the role loses the part, and only that', async () => {
    const dave = await people.person('dave');
    await dave.client.connect();
    await root.client.admin.setRole(dave.id, 'admin', REASON);
    await dave.client.admin.connections();
    await root.client.admin.setRole(dave.id, 'user', REASON);
    await part(dave, 'refused');
    await expect(dave.client.admin.connections()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await dave.client.join('general');
    expect(dave.client.state).toBe('connected');
  });

  it('reports reach the administrators; who is muted, banned or filtered is told so', async () => {
    const [erin, frank] = [await people.person('erin'), await people.person('frank')];
    const hers = await erin.client.join('lively', { roomName: 'Lively' });
    const his = await frank.client.join('lively');
    const { messageId } = await his.send('buy my thing');
    const { accessToken } = await server.login('erin');
    const rest = async (token: string, method: string, path: string, body: object) => {
      const { status } = await request(server.url, method, path, body, { authorization: `Bearer ${token}` });
      expect(status).toBeLessThan(300);
    };
    const told = new Promise((resolve) => root.client.admin.on('report', resolve));
    await rest(accessToken, 'POST', '/moderation/reports', { messageId, reason: 'spam' });
    expect(await told).toMatchObject({ messageId, content: 'buy my thing', reportedBy: { id: erin.id } });

    const admin = (await server.login('root')).accessToken;
    await rest(admin, 'POST', '/moderation/filters', {
      kind: 'word',
      pattern: 'forbidden',
      action: 'reject',
      reason: REASON,
    });
    await expect(hers.send('a forbidden word')).rejects.toMatchObject({ code: 'CONTENT_REJECTED' });
    await rest(accessToken, 'PUT', `/moderation/rooms/lively/mutes/${frank.id}`, { reason: REASON });
    await expect(his.send('why?')).rejects.toMatchObject({ code: 'MUTED' });
    const left = new Promise((resolve) => his.on('left', resolve));
    await rest(accessToken, 'PUT', `/moderation/rooms/lively/bans/${frank.id}`, { reason: REASON });
    expect(await left).toEqual({ reason: 'banned' });
    expect(his.status).toBe('left');
    await expect(his.join()).rejects.toMatchObject({ code: 'BANNED' });
  });

  // Refused on the way back into a room, the handle would have ended, although those who are banned everywhere read on.
  it('who is banned everywhere reads on, also after the connection was lost', async () => {
    const [gina, hugo] = [await people.person('gina'), await people.person('hugo')];
    const hers = await gina.client.join('open', { roomName: 'Open' });
    const his = await hugo.client.join('open');
    const admin = (await server.login('root')).accessToken;
    const { status } = await request(
      server.url,
      'PUT',
      `/moderation/bans/${hugo.id}`,
      { reason: REASON },
      { authorization: `Bearer ${admin}` },
    );
    expect(status).toBeLessThan(300);
    await expect(his.send('let me')).rejects.toMatchObject({ code: 'BANNED' });
    people.cut(hugo.id);
    await state(hugo, 'reconnecting');
    const told = new Promise((resolve) => his.on('message', resolve));
    const { messageId } = await hers.send('you still there?');
    expect(await told).toMatchObject({ id: messageId });
    expect(his.status).toBe('joined');
    await expect(hugo.client.join('another', { roomName: 'Another' })).rejects.toMatchObject({
      code: 'BANNED',
    });
  });
});

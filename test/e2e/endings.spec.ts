import { OpenInboxes } from '../../src/notifications/open-inboxes.js';
import { WorkInFlight } from '../../src/platform/health/work-in-flight.js';
import { Connections } from '../../src/platform/realtime/connections.js';
import { SocketAuthenticator } from '../../src/platform/realtime/socket-authenticator.js';
import type { Actor } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';

/** What ends an identity, or the server, at the moment in which a socket is opened or renewed. */
describe('endings at the worst moment', () => {
  let server: TestServer;
  let root: Actor;
  beforeAll(async () => {
    server = await TestServer.start({ PRESENCE_OFFLINE_MS: '50' });
    root = await server.administrator();
  });
  afterEach(() => jest.restoreAllMocks());
  afterAll(() => server.stop());

  /** The next identity is read, then this happens, then the socket gets it. */
  function betweenReadingAndUsing(happens: () => Promise<unknown>, on = server): void {
    const authenticator = on.app.get(SocketAuthenticator);
    const authenticate = authenticator.authenticate.bind(authenticator);
    jest.spyOn(authenticator, 'authenticate').mockImplementationOnce(async (token) => {
      const actor = await authenticate(token);
      await happens();
      return actor;
    });
  }

  async function asRoot(method: string, path: string, body: object): Promise<void> {
    const { status } = await root.rest(method, path, { reason: 'a test', ...body });
    expect(status).toBeLessThan(300);
  }

  /** Its closing was told before its opening: listeners kept a device that nobody ever took away, and its user online. */
  it('who is suspended while a second device connects is offline soon', async () => {
    const [ghost] = await server.actors('ghost');
    await root.presence.connect();
    await root.presence.does('presence:watch', { userIds: [ghost.id] });
    await root.presence.inbox.until(
      () => root.presence.got('presence:list').some(({ users }) => users[0]?.status === 'online'),
      'the ghost online',
    );
    const second = server.actor(ghost.session);
    betweenReadingAndUsing(() => asRoot('POST', `/admin/users/${ghost.id}/suspend`, {}));
    second.socket.connect();
    await second.receives('session:closing', { code: 'SUSPENDED' });
    await root.presence.inbox.until(
      () => root.presence.got('presence:update').some(({ users }) => users[0]?.status === 'offline'),
      'the ghost offline',
    );
  });

  /** The role that was read before was written back to the open sockets, and held until the next renewal. */
  it('who is demoted while renewing their token stays demoted', async () => {
    const boss = await server.administrator('boss');
    const [stranger] = await server.actors('stranger');
    await boss.presence.connect();
    await boss.presence.does('presence:watch', { userIds: [stranger.id] });
    await boss.admin.connect();
    betweenReadingAndUsing(() => asRoot('PUT', `/admin/users/${boss.id}/role`, { role: 'user' }));
    await boss.does('auth:refresh', { token: boss.session.accessToken });
    await boss.admin.receives('session:closing', { code: 'ROLE_CHANGED' });
    const lists = boss.presence.got('presence:list').length;
    await boss.presence.does('presence:watch', { userIds: [stranger.id] });
    await boss.presence.inbox.until(() => boss.presence.got('presence:list').length > lists, 'the answer');
    expect(boss.presence.got('presence:list').at(-1)?.users).toEqual([]);
    expect(boss.got('session:closing')).toEqual([]);
  });

  /** Any failure to open one namespace closed the transport, and with it the answers the others waited for. */
  it('a namespace that cannot be opened leaves the others alone', async () => {
    const [reader] = await server.actors('reader');
    jest
      .spyOn(server.app.get(OpenInboxes, { strict: false }), 'counts')
      .mockRejectedValueOnce(new Error('a query failed'));
    reader.notifications.socket.connect();
    await reader.notifications.receives('session:closing', { code: 'DRAIN' });
    await reader.notifications.isDisconnected();
    await reader.does('room:list', {});
    expect(reader.got('session:closing')).toEqual([]);
    await reader.notifications.connect();
  });

  it('in a drain a late namespace ends alone, and who must not come back goes at once', async () => {
    const ending = await TestServer.start();
    const [late, expelled] = await ending.actors('late', 'expelled');
    const connections = ending.app.get(Connections);
    const work = ending.app.get(WorkInFlight);
    let drained: Promise<void> | undefined;
    // Something waits for its answer.
    work.started();
    betweenReadingAndUsing(() => {
      drained = connections.drain();
      return Promise.resolve();
    }, ending);
    late.presence.socket.connect();
    await late.presence.receives('session:closing', { code: 'DRAIN' });
    await late.presence.isDisconnected();

    connections.closeUser(expelled.id, 'SUSPENDED');
    await expelled.isDisconnected();
    expect(late.inbox.all('disconnect')).toEqual([]);
    expect(late.got('session:closing')).toHaveLength(1);
    work.ended();
    await drained;
    await late.isDisconnected();
    await ending.stop();
  });
});

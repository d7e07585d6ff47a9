import { NAMESPACES, type NamespaceName } from '../../src/contract/namespaces.js';
import { OPENING, type Actor } from '../harness/actor.js';
import { RawClient } from '../harness/raw-client.js';
import { TestServer } from '../harness/server.js';
import { foreignSession, inSeconds, SHARED_SECRET, signToken } from '../harness/tokens.js';

const namespaces = Object.keys(NAMESPACES) as NamespaceName[];
const sharing = { AUTH_PROVISIONING: 'jit', JWT_SECRET: SHARED_SECRET };

/** A device of an administrator in all four. */
async function everywhere(actor: Actor): Promise<Actor> {
  for (const line of [actor.presence, actor.notifications, actor.admin]) await line.connect();
  return actor;
}

describe('namespaces of one connection', () => {
  let server: TestServer;
  let user: Actor;
  let root: Actor;
  beforeAll(async () => {
    server = await TestServer.start(sharing);
    [user] = await server.actors('user');
    root = await server.administrator();
  });
  afterAll(() => server.stop());

  const administrator = (claims: Record<string, unknown> = {}) =>
    server.connected({ ...root.session, accessToken: signToken({ sub: root.id, role: 'admin', ...claims }) });

  /** A transport on which every namespace can be entered. */
  async function transport(): Promise<{ client: RawClient; token: string }> {
    return { client: await RawClient.transport(server.url), token: root.session.accessToken };
  }

  it('/admin is refused to users, and the transport goes on', async () => {
    const client = await RawClient.in(server.url, '/chat', user.session.accessToken);
    client.write(`40/admin,${JSON.stringify({ token: user.session.accessToken })}`);
    await client.until(() => client.of('connect_error').length > 0, 'the refusal');
    expect(client.of('connect_error')).toMatchObject([
      { namespace: '/admin', data: { message: 'Forbidden', data: { code: 'FORBIDDEN', retryable: false } } },
    ]);
    expect(await client.command('room:list', '{}')).toMatchObject({ status: 'ok' });
    await client.enters('/presence', user.session.accessToken);
    expect(await client.command('presence:activity', '{}')).toMatchObject({ status: 'ok' });
    client.close();
  });

  it('an event to /admin, which refused its sender, reaches nobody and ends that transport alone', async () => {
    const client = await RawClient.in(server.url, '/chat', user.session.accessToken);
    client.write(`40/admin,${JSON.stringify({ token: user.session.accessToken })}`);
    await client.until(() => client.of('connect_error').length > 0, 'the refusal');
    client.write(`42/admin,1["announcement:send",{"title":"t","body":"b","reason":"r"}]`);
    await client.closed();
    expect(client.of('ack')).toEqual([]);
    await user.does('room:list', {});
    expect(user.got('session:closing')).toEqual([]);
  });

  it.each(namespaces)('%s is entered once, however many CONNECTs are sent', async (namespace) => {
    const { client, token } = await transport();
    for (let i = 0; i < 20; i++) client.write(`40${namespace},${JSON.stringify({ token })}`);
    await client.until(() => client.of('connect_error').length === 19, 'the refusals');
    await client.until(() => client.events(OPENING[namespace]).length > 0, OPENING[namespace]);
    expect(client.of('connect')).toHaveLength(1);
    for (const { data } of client.of('connect_error')) expect(data).toMatchObject({ message: 'Forbidden' });
    client.close();
  });

  it.each(namespaces)(
    '%s is entered beside the others, which do not notice that it is left',
    async (namespace) => {
      const { client, token } = await transport();
      const others = namespaces.filter((name) => name !== namespace);
      for (const name of [...others, namespace]) await client.enters(name, token);
      client.write(`41${namespace},`);
      for (const name of others) client.write(`42${name},7["auth:refresh",${JSON.stringify({ token })}]`);
      await client.until(() => client.of('ack').length === others.length, 'an answer of each');
      for (const { data } of client.of('ack')) expect(data).toMatchObject([{ status: 'ok' }]);
      expect(client.events('session:closing')).toEqual([]);
      await client.enters(namespace, token);
      client.close();
    },
  );

  it.each(namespaces)('%s admits nobody who is suspended', async (namespace) => {
    const [suspended] = await server.actors(`suspended-${namespace.slice(1)}`);
    await everywhere(root);
    await root.admin.does('user:suspend', { userId: suspended.id, reason: 'As agreed' });
    const client = await RawClient.transport(server.url);
    client.write(`40${namespace},${JSON.stringify({ token: suspended.session.accessToken })}`);
    await client.until(() => client.of('connect_error').length > 0, 'the refusal');
    expect(client.of('connect_error')).toMatchObject([
      { data: { data: { code: 'SUSPENDED', retryable: false } } },
    ]);
    client.close();
  });

  it.each(namespaces)('a renewal in %s takes no token of somebody else', async (namespace) => {
    const { client, token } = await transport();
    await client.enters(namespace, token);
    const refresh = (of: string) => client.command('auth:refresh', JSON.stringify({ token: of }));
    const refused = {
      status: 'error',
      error: { code: 'FORBIDDEN', message: 'The token is of another user' },
    };
    expect(await refresh(user.session.accessToken)).toMatchObject(refused);
    expect(await refresh(token)).toMatchObject({ status: 'ok' });
    expect(client.closeCode).toBeUndefined();
    client.close();
  });

  it.each(namespaces)('a renewal in %s is one of the whole connection', async (namespace) => {
    const [renewed, control] = await Promise.all([
      administrator({ exp: inSeconds(3) }).then(everywhere),
      server.connected(foreignSession(`control-${namespace.slice(1)}`, { exp: inSeconds(4) })),
    ]);
    const line = renewed.lines.find((one) => one.namespace === namespace)!;
    const token = signToken({ sub: root.id, role: 'admin' });
    const answer = await line.ack('auth:refresh' as never, { token });
    expect(answer).toMatchObject({ status: 'ok' });
    // Its clock proves that the first deadline is over.
    await control.receives('session:closing', { code: 'TOKEN_EXPIRED' });
    for (const one of renewed.lines) {
      expect(await one.ack('auth:refresh' as never, { token })).toMatchObject({ status: 'ok' });
      expect(one.inbox.all('session:closing')).toEqual([]);
    }
    renewed.disconnect();
  });

  it('each is told that the token is about to expire, and that it did', async () => {
    const late = await everywhere(await administrator({ exp: inSeconds(3) }));
    for (const line of late.lines) {
      await line.inbox.find('session:expiring');
      expect(await line.inbox.find('session:closing')).toEqual({ code: 'TOKEN_EXPIRED', reconnect: true });
      await line.inbox.until(() => line.inbox.all('disconnect').length > 0, 'the end of the connection');
    }
  });
});

describe('the limit of connections of one user', () => {
  it('counts transports, not namespaces; of the oldest each namespace is told', async () => {
    const server = await TestServer.start({ MAX_CONNECTIONS_PER_USER: '2' });
    try {
      await server.administrator();
      const [oldest, second] = [
        await everywhere(await server.connected(await server.login('root'))),
        await everywhere(await server.connected(await server.login('root'))),
      ];
      await oldest.does('room:list', {});
      const third = await server.connected(await server.login('root'));
      for (const line of oldest.lines) await line.inbox.find('session:closing', { code: 'CONNECTION_LIMIT' });
      await second.does('room:list', {});
      await third.does('room:list', {});
      for (const line of [...second.lines, third]) expect(line.inbox.all('session:closing')).toEqual([]);
    } finally {
      await server.stop();
    }
  });
});

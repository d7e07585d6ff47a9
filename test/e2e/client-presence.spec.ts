import type { ParleyClient } from '../../client/src/index.js';
import { TestServer } from '../harness/server.js';
import { ClientPeople, until } from './client-people.js';

describe('presence through the client SDK', () => {
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

  /** Until what one knows of somebody is this. */
  const sees = ({ presence }: ParleyClient, userId: string, status: string | undefined) =>
    until(
      `${userId} is ${String(status)}`,
      () => presence.isCurrent && presence.get(userId)?.status === status,
      (look) => {
        const stops = [
          presence.on('change', look),
          presence.on('forgotten', look),
          presence.on('current', look),
        ];
        return () => {
          for (const stop of stops) stop();
        };
      },
    );

  it('those who share a room see each other come, change and go; strangers do not exist', async () => {
    const [alice, bob, eve] = [
      await people.person('alice'),
      await people.person('bob'),
      await people.person('eve'),
    ];
    await alice.client.join('general', { roomName: 'General' });
    await bob.client.join('general');
    await eve.client.connect();
    await alice.client.presence.watch([bob.id, eve.id, 'nobody']).ready;
    expect(alice.client.presence.get(bob.id)).toEqual({ userId: bob.id, username: 'bob', status: 'online' });
    expect(alice.client.presence.get(eve.id)).toBeUndefined();
    expect(await bob.client.presence.set('busy', { text: 'in a review' })).toEqual({
      status: 'busy',
      text: 'in a review',
    });
    await sees(alice.client, bob.id, 'busy');
    expect(alice.client.presence.get(bob.id)).toMatchObject({ text: 'in a review' });
    await bob.client.presence.set('invisible');
    await sees(alice.client, bob.id, 'offline');
    expect(bob.client.presence.own).toEqual({ status: 'invisible' });
    await bob.client.presence.set('online');
    await sees(alice.client, bob.id, 'online');
    await bob.client.room('general').leave();
    await sees(alice.client, bob.id, undefined);
  });

  it('one setting holds on all devices', async () => {
    const one = await people.person('carol');
    const other = await people.device('carol');
    const told = new Promise((resolve) => {
      other.client.presence.on('own', (own) => {
        if (own.status === 'away') resolve(own);
      });
    });
    await other.client.connect();
    await until(
      'the own state',
      () => other.client.presence.own !== undefined,
      (look) => other.client.presence.on('own', look),
    );
    const tomorrow = new Date(Date.now() + 86_400_000);
    await one.client.presence.set('away', { text: 'on a train', until: tomorrow });
    expect(await told).toEqual({ status: 'away', text: 'on a train', until: tomorrow.toISOString() });
  });

  it('a watch outlives a cut of the connection: what changed meanwhile is known after', async () => {
    const [dave, erin] = [await people.person('dave'), await people.person('erin')];
    await dave.client.join('lossy', { roomName: 'Lossy' });
    await erin.client.join('lossy');
    await dave.client.presence.watch([erin.id]).ready;
    const lost = new Promise<void>((resolve) => {
      dave.client.presence.on('current', (isCurrent) => {
        if (!isCurrent) resolve();
      });
    });
    people.cut(dave.id);
    await lost;
    expect(dave.client.presence.get(erin.id)?.status).toBe('online');
    await erin.client.presence.set('busy');
    await sees(dave.client, erin.id, 'busy');
    await erin.client.presence.set('online');
    await sees(dave.client, erin.id, 'online');
  });

  it('the people of direct rooms are known without a watch, also of one that is new', async () => {
    const [frank, gina] = [await people.person('frank'), await people.person('gina')];
    frank.client.presence.on('change', () => undefined);
    await Promise.all([frank.client.connect(), gina.client.connect()]);
    await sees(frank.client, gina.id, undefined);
    await gina.client.send('room:create', { type: 'direct', memberIds: [frank.id] });
    await sees(frank.client, gina.id, 'online');
  });

  it('the server refuses what is not a status, and the part lives on', async () => {
    const { client } = await people.person('hugo');
    await expect(client.presence.set('online', { text: 'x'.repeat(101) })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      details: [{ path: 'text' }],
    });
    expect(await client.presence.set('online')).toEqual({ status: 'online' });
  });
});

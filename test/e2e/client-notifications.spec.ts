import type { Inbox, ParleyClient } from '../../client/src/index.js';
import type { NotificationKind } from '../../src/contract/notifications.js';
import { TestServer } from '../harness/server.js';
import { ClientPeople, until } from './client-people.js';

describe('notifications through the client SDK', () => {
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

  /** Until the inbox shows these kinds, newest first. */
  const shows = (inbox: Inbox, ...kinds: NotificationKind[]) =>
    until(
      `the inbox shows ${kinds.join(', ')}`,
      () => {
        const { isCurrent, notifications } = inbox.getSnapshot();
        return isCurrent && notifications.map(({ kind }) => kind).join() === kinds.join();
      },
      inbox.subscribe,
    );
  const counts = ({ notifications }: ParleyClient, unread: number, unseen: number) =>
    until(
      `${String(unread)} unread, ${String(unseen)} unseen`,
      () => notifications.counts?.unread === unread && notifications.counts.unseen === unseen,
      (look) => notifications.on('counts', look),
    );

  it('a mention comes live on every device, is read on one, and is read on the other', async () => {
    const [alice, bob] = [await people.person('alice'), await people.person('bob')];
    const phone = await people.device('bob');
    const room = await alice.client.join('general', { roomName: 'General' });
    await bob.client.join('general');
    const [inbox, other] = [bob.client.notifications.inbox(), phone.client.notifications.inbox()];
    await phone.client.connect();
    await Promise.all([shows(inbox), shows(other)]);
    const { messageId } = await room.send('Look at this', { mentions: [bob.id] });
    await Promise.all([shows(inbox, 'mention'), shows(other, 'mention'), counts(phone.client, 1, 1)]);
    const [mention] = inbox.getSnapshot().notifications;
    expect(mention).toMatchObject({
      roomId: 'general',
      messageId,
      body: 'Look at this',
      actor: { id: alice.id, name: 'alice' },
      count: 1,
    });
    await bob.client.notifications.seen();
    await counts(phone.client, 1, 0);
    await phone.client.notifications.read([mention?.id ?? '']);
    await until(
      'it is read on the other device',
      () => inbox.getSnapshot().notifications[0]?.readAt !== undefined,
      inbox.subscribe,
    );
    await counts(bob.client, 0, 0);
    expect((await bob.client.notifications.list({ filter: 'unread' })).notifications).toEqual([]);
  });

  it('the inbox is what the server lists, after whatever happened, also while the connection was down', async () => {
    const [carol, dave] = [await people.person('carol'), await people.person('dave')];
    const room = await carol.client.join('busy', { roomName: 'Busy' });
    await dave.client.join('busy');
    const inbox = dave.client.notifications.inbox();
    await shows(inbox);
    const own = await dave.client.room('busy').send('what do you think?');
    const mention = await room.send('first', { mentions: [dave.id] });
    await shows(inbox, 'mention');
    const reply = await room.send('I like it', { replyTo: own.messageId });
    await shows(inbox, 'reply', 'mention');
    await room.delete(mention.messageId);
    await shows(inbox, 'reply');
    people.cut(dave.id);
    await until('the connection is lost', () => !inbox.getSnapshot().isCurrent, inbox.subscribe);
    const { room: direct } = await carol.client.send('room:create', { type: 'direct', memberIds: [dave.id] });
    await carol.client.room(direct.id).send('psst');
    await until(
      'the direct message is told',
      () =>
        inbox.getSnapshot().isCurrent &&
        inbox.getSnapshot().notifications.some(({ kind }) => kind === 'direct'),
      inbox.subscribe,
    );
    const [newest] = inbox
      .getSnapshot()
      .notifications.filter(({ messageId }) => messageId === reply.messageId);
    await dave.client.notifications.archive([newest?.id ?? '']);
    await dave.client.notifications.read('all');
    await until(
      'all is read',
      () => inbox.getSnapshot().notifications.every(({ readAt }) => readAt !== undefined),
      inbox.subscribe,
    );
    const { notifications } = await dave.client.notifications.list();
    expect(notifications.length).toBeGreaterThan(0);
    expect(inbox.getSnapshot().notifications).toEqual(notifications);
    const archived = await dave.client.notifications.list({ filter: 'archived' });
    expect(archived.notifications.map(({ id }) => id)).toEqual([newest?.id]);
  });

  it('an announcement reaches everybody, and stands in the inbox as the server lists it', async () => {
    const [erin, root] = [await people.person('erin'), await people.administrator('root')];
    const inbox = erin.client.notifications.inbox();
    await erin.client.connect();
    await shows(inbox);
    const told = new Promise((resolve) => erin.client.notifications.on('announcement', resolve));
    const announcement = await root.client.admin.announce({
      title: 'Maintenance',
      body: 'Tonight at ten',
      reason: 'planned',
    });
    expect(await told).toEqual(announcement);
    await shows(inbox, 'announcement');
    const { notifications } = await erin.client.notifications.list();
    expect(inbox.getSnapshot().notifications).toEqual(notifications);
    await erin.client.notifications.setPreference({ kind: 'announcement', channels: { inApp: false } });
    await shows(inbox);
    expect((await erin.client.notifications.list()).notifications).toEqual([]);
  });

  it('preferences are told to all devices; of rooms one is not in they are refused', async () => {
    const one = await people.person('frank');
    const other = await people.device('frank');
    const told = new Promise((resolve) => other.client.notifications.on('preferences', resolve));
    await other.client.connect();
    await other.client.notifications.preferences();
    await one.client.join('quiet', { roomName: 'Quiet' });
    const preferences = await one.client.notifications.setPreference({ roomId: 'quiet', level: 'none' });
    expect(preferences.rooms).toEqual([{ roomId: 'quiet', level: 'none' }]);
    expect(await told).toEqual(preferences);
    expect(await one.client.notifications.preferences()).toEqual(preferences);
    await expect(
      one.client.notifications.setPreference({ roomId: 'elsewhere', level: 'none' }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

import type { Notification, NotificationDecision } from '../../src/contract/notifications.js';
import type { Page } from '../../src/contract/rest.js';
import type { Actor } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';

/** What people are told of messages, and why. */
describe('notifications of messages', () => {
  let server: TestServer;
  let alice: Actor, bob: Actor, carol: Actor, root: Actor;
  let rooms = 0;

  beforeAll(async () => {
    server = await TestServer.start();
    [alice, bob, carol] = await server.actors('alice', 'bob', 'carol');
    root = await server.administrator();
    for (const actor of [alice, bob, carol]) await actor.notifications.connect();
  });
  afterAll(() => server.stop());

  /** A room of alice's with bob and carol in it. */
  async function hall(): Promise<string> {
    const roomId = `hall-${String(++rooms)}`;
    await alice.does('room:join', { roomId, roomName: 'Hall' });
    await bob.does('room:join', { roomId });
    await carol.does('room:join', { roomId });
    return roomId;
  }

  async function why(asker: Actor, messageId: string, userId?: string): Promise<NotificationDecision> {
    const query = userId === undefined ? '' : `&userId=${userId}`;
    const { status, body } = await asker.rest(
      'GET',
      `/notifications/decisions?messageId=${messageId}${query}`,
    );
    expect({ status, body }).toMatchObject({ status: 200 });
    return (body as Page<NotificationDecision>).data[0] as NotificationDecision;
  }

  /** When it is decided; asks until it is. */
  async function decided(asker: Actor, messageId: string, userId?: string): Promise<NotificationDecision> {
    const deadline = Date.now() + 8000;
    for (;;) {
      const decision = await why(asker, messageId, userId);
      if (decision.reason !== 'pending') return decision;
      if (Date.now() > deadline) throw new Error(`Still pending: ${messageId}`);
    }
  }

  const told = (actor: Actor, messageId: string): Promise<Notification> =>
    actor.notifications.receives('notification:new', { messageId });

  it('tells of a mention, on every device, with the counts', async () => {
    const roomId = await hall();
    const phone = server.actor(bob.session);
    await phone.notifications.connect();
    const { messageId } = await alice.sends(roomId, 'hey bob', { mentions: [bob.id] });
    const notification = await told(bob, messageId);
    expect(notification).toEqual({
      id: notification.id,
      kind: 'mention',
      title: 'alice in Hall',
      body: 'hey bob',
      roomId,
      messageId,
      actor: { id: alice.id, name: 'alice' },
      count: 1,
      createdAt: notification.createdAt,
      updatedAt: notification.createdAt,
    });
    expect(await told(phone, messageId)).toEqual(notification);
    await bob.notifications.receives('notification:counts', { unread: 1, unseen: 1 });
    expect(await why(bob, messageId)).toMatchObject({
      reason: 'notified',
      cause: 'mention',
      notificationId: notification.id,
      channels: { inApp: true, push: true, email: true },
    });
    expect(await why(carol, messageId)).toEqual({ messageId, userId: carol.id, reason: 'no_cause' });
    await bob.notifications.does('notification:read', { all: true });
  });

  it('tells the author of a message of a reply, and everybody in a thread of one more', async () => {
    const roomId = await hall();
    const first = await bob.sends(roomId, 'who is here?');
    const reply = await alice.sends(roomId, 'me', { replyTo: first.messageId });
    expect(await told(bob, reply.messageId)).toMatchObject({
      kind: 'reply',
      body: 'me',
      title: 'alice in Hall',
    });

    const inThread = await carol.sends(roomId, 'me too', { threadId: first.messageId });
    expect(await told(bob, inThread.messageId)).toMatchObject({ kind: 'reply', threadId: first.messageId });
    expect(await decided(alice, inThread.messageId)).toMatchObject({ reason: 'no_cause' });
    const next = await bob.sends(roomId, 'welcome', { threadId: first.messageId });
    expect(await told(carol, next.messageId)).toMatchObject({ kind: 'reply' });
    expect(await why(carol, next.messageId)).toMatchObject({ cause: 'thread', reason: 'notified' });
    expect(await why(bob, next.messageId)).toMatchObject({ cause: 'thread', reason: 'own_message' });
  });

  it('tells of every message in a direct room, under the name of the author', async () => {
    const roomId = await alice.startsDirectWith(bob);
    const { messageId } = await alice.sends(roomId, 'psst');
    expect(await told(bob, messageId)).toMatchObject({ kind: 'direct', title: 'alice', body: 'psst' });
    expect(await why(alice, messageId)).toMatchObject({ cause: 'direct', reason: 'own_message' });
  });

  it('takes the first cause that applies', async () => {
    const roomId = await alice.startsDirectWith(carol);
    const first = await carol.sends(roomId, 'one');
    const { messageId } = await alice.sends(roomId, 'two', {
      replyTo: first.messageId,
      mentions: [carol.id],
    });
    expect(await decided(carol, messageId)).toMatchObject({ cause: 'mention' });
    const reply = await alice.sends(roomId, 'three', { replyTo: first.messageId });
    expect(await decided(carol, reply.messageId)).toMatchObject({ cause: 'reply' });
  });

  it('tells of any message where the level of the room is `all`, without push and e-mail', async () => {
    const roomId = await hall();
    const { preferences } = await carol.notifications.does('preference:set', { roomId, level: 'all' });
    expect(preferences.rooms).toContainEqual({ roomId, level: 'all' });
    const { messageId } = await alice.sends(roomId, 'news');
    expect(await told(carol, messageId)).toMatchObject({ kind: 'message', title: 'Hall', body: 'news' });
    expect(await why(carol, messageId)).toMatchObject({
      cause: 'message',
      channels: { inApp: true, push: false, email: false },
    });
    expect(await why(bob, messageId)).toMatchObject({ reason: 'no_cause' });
  });

  it('tells nothing of an application message but that it came', async () => {
    const roomId = await hall();
    const { messageId } = await alice.sends(roomId, '', {
      type: 'x-op',
      data: { secret: 1 },
      mentions: [bob.id],
    });
    expect(await told(bob, messageId)).toMatchObject({ kind: 'mention', body: '' });
  });

  it('tells people that somebody else made them members, and not of their own joins', async () => {
    const { room } = await alice.does('room:create', { type: 'private', name: 'Cellar' });
    await alice.does('room:invite', { roomId: room.id, userId: bob.id });
    expect(await bob.notifications.receives('notification:new', { roomId: room.id })).toMatchObject({
      kind: 'invite',
      title: 'Cellar',
      body: 'alice added you',
      actor: { id: alice.id },
    });
    // Of their own joins they would have heard before.
    expect(
      bob.notifications
        .got('notification:new')
        .filter(({ kind, roomId }) => kind === 'invite' && roomId !== room.id),
    ).toEqual([]);
  });

  describe('is decided by a reason', () => {
    it('room_level and muted_room', async () => {
      const roomId = await alice.startsDirectWith(bob);
      await bob.notifications.does('preference:set', { roomId, level: 'mentions' });
      expect(await decided(bob, (await alice.sends(roomId, '1')).messageId)).toMatchObject({
        reason: 'room_level',
        cause: 'direct',
      });
      await bob.notifications.does('preference:set', { roomId, level: 'none' });
      expect(
        await decided(bob, (await alice.sends(roomId, '2', { mentions: [bob.id] })).messageId),
      ).toMatchObject({ reason: 'muted_room', cause: 'mention' });
      const mutedUntil = new Date(Date.now() + 3_600_000).toISOString();
      const { preferences } = await bob.notifications.does('preference:set', {
        roomId,
        level: 'all',
        mutedUntil,
      });
      expect(preferences.rooms).toContainEqual({ roomId, level: 'all', mutedUntil });
      expect(await decided(bob, (await alice.sends(roomId, '3')).messageId)).toMatchObject({
        reason: 'muted_room',
      });
      await bob.notifications.does('preference:set', { roomId, mutedUntil: null });
      expect(await decided(bob, (await alice.sends(roomId, '4')).messageId)).toMatchObject({
        reason: 'notified',
      });
    });

    it('muted_kind: not at all', async () => {
      const roomId = await alice.startsDirectWith(carol);
      await carol.notifications.does('preference:set', { kind: 'direct', channels: { inApp: false } });
      const { messageId } = await alice.sends(roomId, 'nothing');
      const decision = await decided(carol, messageId);
      expect(decision).toMatchObject({ reason: 'muted_kind' });
      expect(decision).not.toHaveProperty('channels');
      await carol.notifications.does('preference:set', { kind: 'direct', channels: { inApp: true } });
      await told(carol, (await alice.sends(roomId, 'something')).messageId);
      expect(carol.notifications.got('notification:new').filter((n) => n.messageId === messageId)).toEqual(
        [],
      );
    });

    it('quiet_hours: in the inbox, without a sound; critical kinds pass', async () => {
      const roomId = await hall();
      // From now on, however the clock stands, all day but the minute that is 12 hours away.
      const minute = (ms: number) => new Date(ms).toISOString().slice(11, 16);
      const away = Date.now() + 12 * 3_600_000;
      const quietHours = {
        from: minute(away + 60_000),
        to: minute(away),
        timeZone: 'UTC',
        critical: ['reply' as const],
      };
      const { preferences } = await bob.notifications.does('preference:set', { quietHours });
      expect(preferences.quietHours).toEqual(quietHours);
      const { messageId } = await alice.sends(roomId, 'late', { mentions: [bob.id] });
      expect(await told(bob, messageId)).toMatchObject({ silent: true });
      expect(await why(bob, messageId)).toMatchObject({
        reason: 'quiet_hours',
        channels: { inApp: true, push: false, email: false },
      });
      const own = await bob.sends(roomId, 'awake');
      const reply = await alice.sends(roomId, 'so?', { replyTo: own.messageId });
      expect(await told(bob, reply.messageId)).not.toHaveProperty('silent');
      const after = await bob.notifications.does('preference:set', { quietHours: null });
      expect(after.preferences).not.toHaveProperty('quietHours');
    });

    it('that administrators can ask of anybody, and of everybody a page at a time', async () => {
      const roomId = await hall();
      const { messageId } = await alice.sends(roomId, 'hi', { mentions: [bob.id, carol.id] });
      await decided(bob, messageId);
      expect(await why(root, messageId, carol.id)).toMatchObject({ reason: 'notified', userId: carol.id });
      expect(await why(root, messageId, root.id)).toMatchObject({ reason: 'no_cause' });
      const page = (await root.rest('GET', `/notifications/decisions?messageId=${messageId}&limit=1`))
        .body as Page<NotificationDecision>;
      expect(page).toMatchObject({ hasMore: true });
      const rest = (
        await root.rest('GET', `/notifications/decisions?messageId=${messageId}&cursor=${page.cursor ?? ''}`)
      ).body as Page<NotificationDecision>;
      expect([...page.data, ...rest.data].map(({ userId }) => userId)).toEqual([bob.id, carol.id].sort());
    });

    it('is told to nobody else, as if there were no such message', async () => {
      const { room } = await alice.does('room:create', { type: 'private', name: 'Den', memberIds: [bob.id] });
      const { messageId } = await alice.sends(room.id, 'secret', { mentions: [bob.id] });
      await decided(bob, messageId);
      const unknown = '01980000-0000-7000-8000-000000000000';
      const answer = async (query: string) => {
        const { status, body } = await carol.rest('GET', `/notifications/decisions?${query}`);
        const { requestId: _, ...rest } = body as Record<string, unknown>;
        return { status, rest };
      };
      const none = await answer(`messageId=${unknown}`);
      expect(none.status).toBe(404);
      expect(await answer(`messageId=${messageId}`)).toEqual(none);
      expect(await answer(`messageId=${messageId}&userId=${bob.id}`)).toEqual(none);
      // Bob may ask after he was kicked, for it was decided for him.
      await alice.does('room:kick', { roomId: room.id, userId: bob.id });
      expect(await why(bob, messageId)).toMatchObject({ reason: 'notified' });
    });
  });
});

import type { AuditEntry } from '../../src/contract/admin.js';
import type { WireError } from '../../src/contract/errors.js';
import type { Page } from '../../src/contract/rest.js';
import type { Actor } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';
import { WriterFixture } from '../harness/writer-fixture.js';

const REASON = { reason: 'spam' };
const AN_HOUR = () => new Date(Date.now() + 3_600_000).toISOString();

describe('who decides over whom', () => {
  let server: TestServer;
  let root: Actor, owner: Actor, admin: Actor, bob: Actor, carol: Actor;
  let writer: WriterFixture;
  let rooms = 0;

  beforeAll(async () => {
    server = await TestServer.start();
    root = await server.administrator();
    [owner, admin, bob, carol] = await server.actors('owner', 'admin', 'bob', 'carol');
    writer = new WriterFixture(server);
  });
  afterAll(() => server.stop());

  /** With an owner, an admin and a member. */
  async function room(...more: Actor[]): Promise<string> {
    const roomId = `room-${String(++rooms)}`;
    const memberIds = [admin, bob, ...more].map(({ id }) => id);
    await owner.does('room:create', { roomId, name: roomId, type: 'public', memberIds });
    await owner.does('room:role', { roomId, userId: admin.id, role: 'admin' });
    return roomId;
  }

  const inRoom = (roomId: string, kind: 'mutes' | 'bans', { id }: Actor) =>
    `/moderation/rooms/${roomId}/${kind}/${id}`;
  const lift = (by: Actor, path: string) => by.rest('DELETE', `${path}?reason=served`);

  /** An administrator banned the owner of a room: its admin, who owned it from then on, lifted the ban. */
  it('what an administrator decided in a room its people neither lift nor shorten nor replace', async () => {
    const roomId = await room();
    const ban = inRoom(roomId, 'bans', owner);
    const mute = inRoom(roomId, 'mutes', bob);
    expect(await root.rest('PUT', ban, REASON)).toMatchObject({ status: 200 });
    expect(await root.rest('PUT', mute, { ...REASON, until: AN_HOUR() })).toMatchObject({ status: 200 });
    for (const path of [ban, mute]) {
      expect(await lift(admin, path)).toMatchObject({ status: 403 });
      for (const more of [{}, { until: AN_HOUR() }, { reason: 'other' }])
        expect(await admin.rest('PUT', path, { ...REASON, ...more })).toMatchObject({
          status: path === ban && Object.keys(more).length === 0 ? 200 : 403,
        });
    }
    expect(await owner.refused('room:join', { roomId })).toMatchObject({ code: 'BANNED' });
    expect(await bob.refused('message:send', { roomId, content: 'x' })).toMatchObject({ code: 'MUTED' });
    for (const path of [ban, mute]) expect(await lift(root, path)).toMatchObject({ status: 204 });
    await bob.sends(roomId, 'free');
  });

  it('an administrator who says the same as the room did makes it theirs', async () => {
    const roomId = await room();
    const mute = inRoom(roomId, 'mutes', bob);
    await owner.rest('PUT', mute, REASON);
    expect(await root.rest('PUT', mute, REASON)).toMatchObject({ body: { createdBy: { id: root.id } } });
    expect(await lift(owner, mute)).toMatchObject({ status: 403 });
    await lift(root, mute);
    await owner.rest('PUT', mute, REASON);
    expect(await lift(admin, mute)).toMatchObject({ status: 204 });
  });

  it('an administrator of the installation is refused like anybody of equal rank', async () => {
    const roomId = await room(carol);
    await root.does('room:join', { roomId });
    await owner.does('room:role', { roomId, userId: carol.id, role: 'admin' });
    const answers = await Promise.all(
      [root, carol].map((on) => admin.rest('PUT', inRoom(roomId, 'mutes', on), REASON)),
    );
    const [ofRoot, ofEqual] = answers.map(({ body }) => ({
      ...(body as object),
      requestId: '',
      instance: '',
    }));
    expect(ofRoot).toMatchObject({ status: 403 });
    expect(ofRoot).toEqual(ofEqual);
  });

  /** Whoever invited somebody who was banned got BANNED, as if they were, and learned until when. */
  it('that somebody else is banned, where, until when and why, is told to nobody who invites them', async () => {
    const roomId = await room();
    const refusals = async (): Promise<WireError[]> => [
      await bob.refused('room:invite', { roomId, userId: carol.id }),
      await bob.refused('room:create', {
        type: 'public',
        name: 'X',
        memberIds: [owner.id, bob.id, carol.id],
      }),
      await bob.refused('room:create', { type: 'direct', memberIds: [owner.id, carol.id] }),
    ];
    const paths = ['userId', 'memberIds.2', 'memberIds.1'];
    await root.rest('PUT', `/moderation/bans/${carol.id}`, { ...REASON, until: AN_HOUR() });
    const everywhere = await refusals();
    for (const [index, { code, message, details }] of everywhere.entries())
      expect({ code, message, details }).toEqual({
        code: 'FORBIDDEN',
        message: 'A user cannot be added',
        details: [{ path: paths[index], problem: 'cannot be added' }],
      });
    await lift(root, `/moderation/bans/${carol.id}`);
    await owner.rest('PUT', inRoom(roomId, 'bans', carol), { ...REASON, until: AN_HOUR() });
    const fromRoom = await bob.refused('room:invite', { roomId, userId: carol.id });
    expect({ ...fromRoom, requestId: '' }).toEqual({ ...everywhere[0], requestId: '' });
    // The others were fine, and the one who is banned learns it.
    expect(await carol.refused('room:join', { roomId })).toMatchObject({ code: 'BANNED' });
    expect(await bob.does('room:create', { type: 'direct', memberIds: [carol.id] })).toBeDefined();
  });

  it('of those who could inherit a room the suspended and the banned come last', async () => {
    const [first, second, third] = await server.actors('first', 'second', 'third');
    const roomId = await room(first, second, third);
    await owner.does('room:role', { roomId, userId: first.id, role: 'admin' });
    await owner.does('room:kick', { roomId, userId: bob.id });
    await root.rest('PUT', `/moderation/bans/${admin.id}`, REASON);
    await root.rest('POST', `/admin/users/${first.id}/suspend`, REASON);
    await root.rest('PUT', inRoom(roomId, 'bans', owner), REASON);
    // Both members came in one statement: the id decides between them.
    const [heir] = [second, third].sort((a, b) => (a.id < b.id ? -1 : 1));
    expect(
      await writer.sql(`SELECT user_id FROM room_members WHERE room_id = $1 AND role = 'owner'`, [roomId]),
    ).toEqual([{ user_id: heir?.id }]);
    for (const actor of [second, third]) await actor.does('room:leave', { roomId }).catch(() => undefined);
    await lift(root, `/moderation/bans/${admin.id}`);
  });

  /** The lock of one room was held, and what had ended in other rooms was deleted. */
  it('an act in one room leaves the rows of other rooms alone', async () => {
    const [here, there] = [await room(), await room()];
    await owner.rest('PUT', inRoom(there, 'mutes', bob), { ...REASON, until: AN_HOUR() });
    await writer.sql(`UPDATE restrictions SET until = now() WHERE scope = $1`, [there]);
    await owner.rest('PUT', inRoom(here, 'mutes', bob), REASON);
    await lift(owner, inRoom(here, 'mutes', bob));
    expect(await writer.sql(`SELECT FROM restrictions WHERE scope = $1`, [there])).toHaveLength(1);
  });

  describe('leaves an entry for what the people of a room do to each other:', () => {
    const entries = async (targetId: string) =>
      ((await root.rest('GET', `/audit-log?targetId=${targetId}&limit=100`)).body as Page<AuditEntry>).data;

    it('deleted messages, each with whose it was, and not what it said', async () => {
      const roomId = await room();
      const sent = await Promise.all(
        ['one', 'two', 'three'].map((content) => bob.sends(roomId, `secret ${content}`)),
      );
      const own = await admin.sends(roomId, 'own');
      const remove = (by: Actor, messageId: string, reason?: string) =>
        by.does('message:delete', { messageId, ...(reason !== undefined && { reason }) });
      await Promise.all([
        remove(admin, own.messageId),
        remove(bob, sent[0]!.messageId),
        remove(admin, sent[1]!.messageId, 'off topic'),
        remove(admin, sent[2]!.messageId),
      ]);
      await remove(owner, sent[1]!.messageId);
      for (const { messageId } of [own, sent[0]!]) expect(await entries(messageId)).toEqual([]);
      const [second, third] = await Promise.all([entries(sent[1]!.messageId), entries(sent[2]!.messageId)]);
      expect(second).toMatchObject([
        {
          act: 'message.delete',
          actor: { id: admin.id },
          target: { type: 'message' },
          roomId,
          reason: 'off topic',
          requestId: expect.any(String) as string,
          before: { senderId: bob.id, seq: sent[1]!.seq },
        },
      ]);
      expect(third).toMatchObject([{ act: 'message.delete', actor: { id: admin.id } }]);
      expect(third[0]).not.toHaveProperty('reason');
      expect(third[0]?.requestId).not.toBe(second[0]?.requestId);
      expect(JSON.stringify([second, third])).not.toContain('secret');
    });

    it('kicks and roles, but not what one does to oneself', async () => {
      const roomId = await room(carol);
      const role = (by: Actor, on: Actor, to: 'owner' | 'admin' | 'member') =>
        by.does('room:role', { roomId, userId: on.id, role: to });
      await role(owner, carol, 'owner');
      await role(owner, carol, 'owner');
      await role(carol, carol, 'member');
      await admin.does('room:kick', { roomId, userId: carol.id });
      await bob.does('room:leave', { roomId });
      const here = (entry: AuditEntry) => entry.roomId === roomId;
      expect((await entries(carol.id)).filter(here)).toMatchObject([
        {
          act: 'member.kick',
          requestId: expect.any(String) as string,
          actor: { id: admin.id },
          target: { type: 'user' },
          before: { role: 'member' },
        },
        { act: 'member.role', actor: { id: owner.id }, before: { role: 'member' }, after: { role: 'owner' } },
      ]);
      expect((await entries(bob.id)).filter(here)).toEqual([]);
    });

    it('archiving, once for each time', async () => {
      const roomId = await room();
      for (const archived of [true, true, false, false])
        await owner.does('room:update', { roomId, archived });
      await owner.does('room:update', { roomId, topic: 'no act' });
      const acts = await entries(roomId);
      expect(acts).toMatchObject([
        { act: 'room.unarchive', after: { archivedAt: null } },
        { act: 'room.archive', actor: { id: owner.id }, roomId, before: { archivedAt: null } },
      ]);
      const { archivedAt } = acts[1]?.after as { archivedAt: string };
      expect(acts[0]?.before).toEqual({ archivedAt });
    });
  });
});

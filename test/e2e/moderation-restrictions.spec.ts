import { setTimeout as pause } from 'node:timers/promises';
import type { AuditEntry } from '../../src/contract/admin.js';
import type { Restriction } from '../../src/contract/moderation.js';
import type { Page } from '../../src/contract/rest.js';
import type { Actor, Answer } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';
import { WriterFixture } from '../harness/writer-fixture.js';

/** `mutes` and `bans`; everywhere when no room is given. */
type Kind = 'mutes' | 'bans';
const pathOf = (kind: Kind, userId: string, roomId?: string) =>
  `/moderation/${roomId === undefined ? '' : `rooms/${roomId}/`}${kind}/${userId}`;

const impose = (by: Actor, kind: Kind, on: Actor, roomId?: string, more: object = {}) =>
  by.rest('PUT', pathOf(kind, on.id, roomId), { reason: 'spam', ...more });
const lift = (by: Actor, kind: Kind, on: Actor, roomId?: string) =>
  by.rest('DELETE', `${pathOf(kind, on.id, roomId)}?reason=served`);
const codeOf = (answer: Answer) => (answer.body as { code?: string } | undefined)?.code;
const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();

describe('mutes and bans', () => {
  let server: TestServer;
  let root: Actor, alice: Actor, bob: Actor, carol: Actor, dave: Actor;
  let writer: WriterFixture;
  let rooms = 0;

  beforeAll(async () => {
    server = await TestServer.start();
    root = await server.administrator();
    [alice, bob, carol, dave] = await server.actors('alice', 'bob', 'carol', 'dave');
    writer = new WriterFixture(server);
  });
  afterAll(() => server.stop());

  /** Alice owns it, bob and carol are in it. */
  async function room(type: 'public' | 'private' = 'public'): Promise<string> {
    const roomId = `room-${String(++rooms)}`;
    await alice.does('room:create', { roomId, name: roomId, type, memberIds: [bob.id, carol.id] });
    await bob.receives('room:added', { room: { id: roomId } });
    await carol.receives('room:added', { room: { id: roomId } });
    return roomId;
  }

  async function audited(targetId: string, act: string): Promise<AuditEntry[]> {
    const { body } = await root.rest('GET', `/audit-log?targetId=${targetId}&act=${act}&limit=100`);
    return (body as Page<AuditEntry>).data;
  }

  it('a mute takes every way to write in the room, and leaves the rest', async () => {
    const roomId = await room();
    const own = await bob.sends(roomId, 'before');
    const other = await alice.sends(roomId, 'hello');
    const answer = await impose(alice, 'mutes', bob, roomId);
    expect(answer).toMatchObject({
      status: 200,
      body: {
        userId: bob.id,
        kind: 'mute',
        roomId,
        reason: 'spam',
        createdBy: { id: alice.id, name: 'alice' },
      },
    });
    expect(answer.body).not.toHaveProperty('until');

    for (const [command, payload] of [
      ['message:send', { roomId, content: 'x' }],
      ['message:edit', { messageId: own.messageId, content: 'x' }],
      ['message:react', { messageId: other.messageId, emoji: '👍', on: true }],
      ['typing:start', { roomId }],
      ['room:signal', { roomId, kind: 'cursor', data: 1 }],
    ] as const) {
      const refused = await bob.refused(command, payload);
      expect([command, refused.code, refused.retryable, refused.details]).toEqual([
        command,
        'MUTED',
        false,
        undefined,
      ]);
    }
    expect(codeOf(await bob.rest('POST', `/rooms/${roomId}/messages`, { content: 'x' }))).toBe('MUTED');
    expect(codeOf(await bob.rest('POST', `/rooms/${roomId}/signals`, { kind: 'k', data: 1 }))).toBe('MUTED');

    await bob.does('message:history', { roomId });
    await bob.does('message:read', { roomId, seq: other.seq });
    await bob.does('message:delete', { messageId: own.messageId });
    const elsewhere = await room();
    await bob.sends(elsewhere, 'still welcome');

    expect(await lift(alice, 'mutes', bob, roomId)).toMatchObject({ status: 204 });
    await bob.sends(roomId, 'again');
  });

  it('a repeated send is answered as the first one was, whatever happened since', async () => {
    const roomId = await room();
    const first = await bob.sends(roomId, 'once', { clientMessageId: 'once-only' });
    await impose(alice, 'bans', bob, roomId);
    expect(await bob.sends(roomId, 'once', { clientMessageId: 'once-only' })).toMatchObject({
      messageId: first.messageId,
      deduplicated: true,
    });
    await impose(root, 'bans', bob);
    expect(await bob.sends(roomId, 'once', { clientMessageId: 'once-only' })).toMatchObject({
      deduplicated: true,
    });
    await lift(root, 'bans', bob);
  });

  it('a mute ends by itself, says when, and is cleaned up', async () => {
    const roomId = await room();
    const until = inMs(1500);
    expect(await impose(alice, 'mutes', bob, roomId, { until })).toMatchObject({
      status: 200,
      body: { until },
    });
    expect(await bob.refused('message:send', { roomId, content: 'x' })).toMatchObject({
      code: 'MUTED',
      details: [{ path: 'until', problem: until }],
    });
    await eventually(() => bob.ack('message:send', { roomId, content: 'over' }), 'ok');
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(until));
    expect(await restrictions(alice, `roomId=${roomId}`)).toEqual([]);
    await impose(alice, 'mutes', bob, roomId, { until: inMs(60_000) });
    await writer.sql(`UPDATE restrictions SET until = now() WHERE scope = $1`, [roomId]);
    await lift(alice, 'mutes', bob, roomId);
    expect(await writer.sql(`SELECT FROM restrictions WHERE scope = $1`, [roomId])).toEqual([]);
    // It had ended: nothing was lifted.
    expect((await audited(bob.id, 'user.unmute')).filter((entry) => entry.roomId === roomId)).toEqual([]);
  });

  it('refuses an end that has passed', async () => {
    const roomId = await room();
    const answer = await impose(alice, 'mutes', bob, roomId, { until: inMs(-1000) });
    expect(answer).toMatchObject({ status: 400, body: { details: [{ path: 'until' }] } });
    await bob.sends(roomId, 'not muted');
  });

  it('a ban ends the membership on every device, and nobody brings the user back', async () => {
    const roomId = await room();
    const phone = await server.connected(bob.session);
    await impose(alice, 'bans', bob, roomId);
    await Promise.all(
      [bob, phone].map((device) => device.receives('room:removed', { roomId, reason: 'banned' })),
    );
    await carol.receives('room:user-left', { roomId, userId: bob.id });
    expect((await carol.does('room:members', { roomId })).members.map(({ userId }) => userId)).not.toContain(
      bob.id,
    );

    expect(await bob.refused('message:send', { roomId, content: 'x' })).toMatchObject({
      code: 'NOT_A_MEMBER',
    });
    expect(await bob.refused('room:join', { roomId })).toMatchObject({ code: 'BANNED' });
    expect(await carol.refused('room:invite', { roomId, userId: bob.id })).toMatchObject({
      code: 'FORBIDDEN',
    });
    expect(codeOf(await alice.rest('POST', `/rooms/${roomId}/members`, { userId: bob.id }))).toBe(
      'FORBIDDEN',
    );
    // Elsewhere he is who he was.
    await alice.does('room:create', { type: 'public', name: 'Other', memberIds: [bob.id] });

    await lift(alice, 'bans', bob, roomId);
    await bob.does('room:join', { roomId });
    await bob.sends(roomId, 'back');
  });

  it('a ban with an end lets the user in when it has passed', async () => {
    const roomId = await room();
    const until = inMs(1200);
    await impose(alice, 'bans', bob, roomId, { until });
    expect(await bob.refused('room:join', { roomId })).toMatchObject({
      code: 'BANNED',
      details: [{ path: 'until', problem: until }],
    });
    await eventually(() => bob.ack('room:join', { roomId }), 'ok');
  });

  it('a private room answers who is banned from it as it answers all outside', async () => {
    const roomId = await room('private');
    await impose(alice, 'bans', bob, roomId);
    const outside = await dave.refused('room:join', { roomId });
    expect(outside.code).toBe('NOT_FOUND');
    expect({ ...(await bob.refused('room:join', { roomId })), requestId: '' }).toEqual({
      ...outside,
      requestId: '',
    });
    expect(await alice.refused('room:invite', { roomId, userId: bob.id })).toMatchObject({
      code: 'FORBIDDEN',
    });
  });

  it('who was never in the room can be banned from it', async () => {
    const roomId = await room();
    expect(await impose(alice, 'bans', dave, roomId)).toMatchObject({ status: 200 });
    expect(await dave.refused('room:join', { roomId })).toMatchObject({ code: 'BANNED' });
  });

  it('nobody is banned from a direct room; administrators may mute there', async () => {
    const roomId = await alice.startsDirectWith(bob);
    expect(await impose(root, 'bans', bob, roomId)).toMatchObject({ status: 403 });
    expect(await impose(alice, 'mutes', bob, roomId)).toMatchObject({ status: 403 });
    await impose(root, 'mutes', bob, roomId);
    expect(await bob.refused('message:send', { roomId, content: 'x' })).toMatchObject({ code: 'MUTED' });
    await lift(root, 'mutes', bob, roomId);
  });

  it('a mute everywhere holds in every room', async () => {
    const roomId = await room();
    const direct = await alice.startsDirectWith(bob);
    await impose(root, 'mutes', bob);
    for (const id of [roomId, direct])
      expect(await bob.refused('message:send', { roomId: id, content: 'x' })).toMatchObject({
        code: 'MUTED',
      });
    // A ban says more than a mute.
    await impose(root, 'bans', bob, undefined, { until: inMs(60_000) });
    expect(await bob.refused('message:send', { roomId, content: 'x' })).toMatchObject({ code: 'BANNED' });
    await lift(root, 'bans', bob);
    expect(await bob.refused('message:send', { roomId, content: 'x' })).toMatchObject({ code: 'MUTED' });
    await lift(root, 'mutes', bob);
    await bob.sends(roomId, 'free');
  });

  it('a ban everywhere leaves the memberships and the reading, and no way to write, join, create or invite', async () => {
    const roomId = await room();
    const mine = await bob.does('room:create', { type: 'public', name: 'Mine' });
    await alice.does('room:create', { roomId: `${roomId}-open`, name: 'Open', type: 'public' });
    const own = await bob.sends(roomId, 'mine');
    await impose(root, 'bans', bob);
    for (const [command, payload] of [
      ['message:send', { roomId, content: 'x' }],
      ['message:edit', { messageId: own.messageId, content: 'x' }],
      ['message:delete', { messageId: own.messageId }],
      ['message:react', { messageId: own.messageId, emoji: '👍', on: true }],
      ['typing:start', { roomId }],
      ['room:signal', { roomId, kind: 'k', data: 1 }],
      ['room:join', { roomId: `${roomId}-open` }],
      ['room:join', { roomId: `${roomId}-new`, roomName: 'New' }],
      ['room:create', { type: 'public', name: 'Another' }],
      ['room:create', { type: 'direct', memberIds: [dave.id] }],
      ['room:invite', { roomId, userId: dave.id }],
      ['room:update', { roomId: mine.room.id, topic: 'x' }],
      ['room:role', { roomId: mine.room.id, userId: bob.id, role: 'owner' }],
    ] as const)
      expect([command, payload, (await bob.refused(command, payload)).code]).toEqual([
        command,
        payload,
        'BANNED',
      ]);
    // No trace of the room that was not made.
    expect(await dave.refused('room:join', { roomId: `${roomId}-new` })).toMatchObject({ code: 'NOT_FOUND' });

    await alice.sends(roomId, 'he reads this');
    await bob.receives('message:new', { content: 'he reads this' });
    await bob.does('room:list', {});
    await bob.does('message:read', { roomId, seq: own.seq });
    await bob.does('room:leave', { roomId: mine.room.id });
    await lift(root, 'bans', bob);
    await bob.sends(roomId, 'x');
  });

  it.each(['room', 'everywhere'])(
    'after a ban (%s) is acknowledged nothing of the user is written',
    async (where) => {
      const roomId = await room();
      const scope = where === 'room' ? roomId : undefined;
      const sends = Array.from({ length: 50 }, (_, index) =>
        bob.ack('message:send', { roomId, content: `burst ${String(index)}` }),
      );
      await sends[0];
      expect(await impose(root, 'bans', bob, scope)).toMatchObject({ status: 200 });
      const before = await writer.stored(roomId);
      const late = await Promise.all([
        ...Array.from({ length: 20 }, () => bob.ack('message:send', { roomId, content: 'late' })),
        ...sends.slice(-1),
      ]);
      expect(late.slice(0, 20).map(({ status }) => status)).toEqual(Array(20).fill('error'));
      await Promise.all(sends);
      expect(await writer.stored(roomId)).toEqual(before);
      await lift(root, 'bans', bob, scope);
    },
  );

  it('ranks: only people of a lower role, nobody themselves, no administrator of the installation', async () => {
    const roomId = await room();
    await alice.does('room:role', { roomId, userId: carol.id, role: 'admin' });
    await alice.does('room:role', { roomId, userId: bob.id, role: 'admin' });
    await root.does('room:join', { roomId });
    const refused: [Actor, Actor][] = [
      [carol, bob],
      [carol, alice],
      [carol, carol],
      [alice, alice],
      [alice, root],
      [dave, bob],
      [root, root],
    ];
    for (const [by, on] of refused)
      for (const kind of ['mutes', 'bans'] as const)
        expect([by.user.name, on.user.name, (await impose(by, kind, on, roomId)).status]).toEqual([
          by.user.name,
          on.user.name,
          403,
        ]);
    await impose(alice, 'mutes', carol, roomId);
    // Neither by one's own hand nor by an equal's.
    expect(await lift(carol, 'mutes', carol, roomId)).toMatchObject({ status: 403 });
    expect(await lift(bob, 'mutes', carol, roomId)).toMatchObject({ status: 403 });
    await lift(alice, 'mutes', carol, roomId);
    expect(await impose(bob, 'bans', dave, roomId)).toMatchObject({ status: 200 });
    expect(
      (await carol.does('room:list', {})).rooms.find(({ room }) => room.id === roomId)?.room.capabilities,
    ).toContain('room:moderate');
    // Everywhere is for administrators.
    for (const by of [alice, dave]) expect(await impose(by, 'mutes', bob)).toMatchObject({ status: 403 });
  });

  it('a banned last owner leaves the room to whoever is next', async () => {
    const roomId = await room();
    await alice.does('room:role', { roomId, userId: carol.id, role: 'admin' });
    await impose(root, 'bans', alice, roomId);
    await carol.receives('room:updated', { room: { id: roomId, role: 'owner' } });
    await lift(root, 'bans', alice, roomId);
  });

  it('what nobody knows is not found', async () => {
    const roomId = await room('private');
    const someone = { ...bob, id: 'nobody' } as Actor;
    expect(await impose(alice, 'mutes', someone, roomId)).toMatchObject({ status: 404 });
    expect(await impose(root, 'mutes', someone)).toMatchObject({ status: 404 });
    expect(await impose(root, 'mutes', bob, 'no-such-room')).toMatchObject({ status: 404 });
    const foreign = await impose(dave, 'mutes', bob, roomId);
    const absent = await impose(dave, 'mutes', bob, 'no-such-room');
    expect([foreign.status, (foreign.body as { detail: string }).detail]).toEqual([
      404,
      (absent.body as { detail: string }).detail,
    ]);
  });

  it('each act is audited once, with its reason, in the transaction', async () => {
    const roomId = await room();
    const until = inMs(3_600_000);
    await impose(alice, 'mutes', bob, roomId, { reason: 'caps lock', until });
    await impose(alice, 'mutes', bob, roomId, { reason: 'caps lock', until });
    await impose(alice, 'mutes', bob, roomId, { reason: 'still shouting' });
    await lift(alice, 'mutes', bob, roomId);
    await lift(alice, 'mutes', bob, roomId);
    const inRoom = (entry: AuditEntry) => entry.roomId === roomId;
    expect((await audited(bob.id, 'user.mute')).filter(inRoom)).toMatchObject([
      { reason: 'still shouting', before: { until, reason: 'caps lock' }, after: { until: null } },
      {
        actor: { id: alice.id, name: 'alice' },
        target: { type: 'user', id: bob.id },
        reason: 'caps lock',
        after: { until },
      },
    ]);
    expect((await audited(bob.id, 'user.unmute')).filter(inRoom)).toMatchObject([{ reason: 'served' }]);
    await impose(root, 'bans', dave);
    await lift(root, 'bans', dave);
    const [ban] = await audited(dave.id, 'user.ban');
    expect(ban).toMatchObject({ actor: { id: root.id }, reason: 'spam' });
    expect(ban).not.toHaveProperty('roomId');
    expect(await audited(dave.id, 'user.unban')).toHaveLength(1);
  });

  it('lists what is in force: of a room for those who moderate it, of all for administrators', async () => {
    const roomId = await room();
    await impose(alice, 'mutes', bob, roomId);
    await impose(alice, 'bans', dave, roomId);
    await impose(root, 'mutes', carol);
    const ofRoom = await restrictions(alice, `roomId=${roomId}`);
    expect(ofRoom.map(({ userId, kind }) => [userId, kind]).sort()).toEqual(
      [
        [bob.id, 'mute'],
        [dave.id, 'ban'],
      ].sort(),
    );
    const ofCarol = await restrictions(root, `userId=${carol.id}`);
    expect(ofCarol).toMatchObject([{ kind: 'mute', userId: carol.id }]);
    expect(ofCarol[0]).not.toHaveProperty('roomId');
    expect(await bob.rest('GET', `/moderation/restrictions?roomId=${roomId}`)).toMatchObject({ status: 403 });
    expect(await alice.rest('GET', '/moderation/restrictions')).toMatchObject({ status: 403 });
    await lift(root, 'mutes', carol);
  });

  it('lists page by page', async () => {
    const roomId = await room();
    await writer.sql(
      `INSERT INTO users (id, username, username_key, name, role)
       SELECT 'p' || n, 'p' || n, 'p' || n, 'P', 'user' FROM generate_series(101, 220) n`,
    );
    await writer.sql(
      `INSERT INTO restrictions (user_id, scope, kind, reason, created_by, created_by_name, by_administrator)
       SELECT 'p' || n, $1, 'mute', 'x', 'y', 'z', false FROM generate_series(101, 220) n`,
      [roomId],
    );
    const found = await restrictions(alice, `roomId=${roomId}`);
    expect(found.map(({ userId }) => userId)).toEqual(
      Array.from({ length: 120 }, (_, n) => `p${String(n + 101)}`),
    );
    expect(await alice.rest('GET', `/moderation/restrictions?roomId=${roomId}&cursor=bm9uZQ`)).toMatchObject({
      status: 400,
    });
  });

  async function restrictions(by: Actor, query: string): Promise<Restriction[]> {
    const all: Restriction[] = [];
    let cursor = '';
    for (let pages = 0; pages < 10; pages++) {
      const { body } = await by.rest('GET', `/moderation/restrictions?${query}${cursor}`);
      const page = body as Page<Restriction>;
      all.push(...page.data);
      if (page.cursor === undefined) return all;
      cursor = `&cursor=${page.cursor}`;
    }
    throw new Error('The list has no end');
  }
});

/** Asks again until the answer is this, or the deadline is over. */
async function eventually(ask: () => Promise<{ status: string }>, status: string): Promise<void> {
  const deadline = Date.now() + 8000;
  for (;;) {
    const answer = await ask();
    if (answer.status === status) return;
    if (Date.now() > deadline) throw new Error(`Still ${JSON.stringify(answer)}`);
    await pause(50);
  }
}

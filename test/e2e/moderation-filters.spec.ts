import type { AuditEntry } from '../../src/contract/admin.js';
import type { FilterRule, Report } from '../../src/contract/moderation.js';
import type { Page } from '../../src/contract/rest.js';
import type { Actor } from '../harness/actor.js';
import { createTestDatabase, type TestDatabase } from '../harness/database.js';
import { TestServer } from '../harness/server.js';
import { onPostgres, WriterFixture } from '../harness/writer-fixture.js';

type NewRule = Omit<FilterRule, 'id' | 'createdAt'>;

async function rule(
  by: Actor,
  kind: NewRule['kind'],
  pattern: string,
  action: NewRule['action'],
): Promise<FilterRule> {
  const answer = await by.rest('POST', '/moderation/filters', {
    kind,
    pattern,
    action,
    reason: 'house rules',
  });
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  return answer.body as FilterRule;
}

describe('filters', () => {
  let database: TestDatabase;
  let server: TestServer;
  let root: Actor, alice: Actor, bob: Actor;
  let writer: WriterFixture;
  const roomId = 'hall';

  beforeAll(async () => {
    database = await createTestDatabase();
    server = await TestServer.start({}, database);
    root = await server.administrator();
    [alice, bob] = await server.actors('alice', 'bob');
    await alice.does('room:create', { roomId, name: 'Hall', type: 'public', memberIds: [bob.id] });
    await bob.receives('room:added', { room: { id: roomId } });
    writer = new WriterFixture(server);
  });
  afterAll(async () => {
    await server.stop();
    await database.drop();
  });

  it('reject: neither sent nor edited, and never told for which word', async () => {
    await rule(root, 'word', 'Forbidden Fruit', 'reject');
    await rule(root, 'link', 'evil.example', 'reject');
    const { messageId } = await bob.sends(roomId, 'harmless');
    const stored = await writer.stored(roomId);
    for (const [content, what] of [
      ['some forbidden  fruit here', 'word'],
      ['ＦＯＲＢＩＤＤＥＮ fru\u200bit', 'word'],
      ['see http://www.evil.example/x', 'link'],
    ] as const)
      for (const [command, payload] of [
        ['message:send', { roomId, content }],
        ['message:send', { roomId, content, type: 'x-note', data: { a: 1 } }],
        ['message:edit', { messageId, content }],
      ] as const)
        expect(await bob.refused(command, payload)).toMatchObject({
          code: 'CONTENT_REJECTED',
          retryable: false,
          details: [{ path: 'content', problem: `contains a ${what} that is not allowed` }],
        });
    expect(await bob.rest('POST', `/rooms/${roomId}/messages`, { content: 'forbidden fruit' })).toMatchObject(
      {
        status: 422,
        body: { code: 'CONTENT_REJECTED' },
      },
    );
    // A refused message takes no number and leaves the neighbours of its batch alone.
    expect(await writer.stored(roomId)).toEqual(stored);
    const batch = await Promise.all(
      ['one', 'forbidden fruit', 'two'].map((content) => bob.ack('message:send', { roomId, content })),
    );
    expect(batch.map(({ status }) => status)).toEqual(['ok', 'error', 'ok']);
    await writer.expectNoGaps();
    // Application data is not text.
    await bob.sends(roomId, '', { type: 'x-note', data: { text: 'forbidden fruit' } });
  });

  it('mask: stored and told with stars, and a retry is still the same request', async () => {
    await rule(root, 'word', 'darn', 'mask');
    await rule(root, 'link', 'spam.example', 'mask');
    const content = 'well DARN, see spam.example';
    const first = await bob.sends(roomId, content, { clientMessageId: 'masked-once' });
    expect(await alice.receives('message:new', { id: first.messageId })).toMatchObject({
      content: 'well ****, see ************',
    });
    expect(await bob.sends(roomId, content, { clientMessageId: 'masked-once' })).toMatchObject({
      messageId: first.messageId,
      deduplicated: true,
    });
    expect(
      await bob.refused('message:send', {
        roomId,
        content: 'well ****, see ************',
        clientMessageId: 'masked-once',
      }),
    ).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
    const { messages } = await alice.does('message:history', { roomId, limit: 1 });
    expect(messages[0]).toMatchObject({ id: first.messageId, content: 'well ****, see ************' });

    const edited = await bob.does('message:edit', { messageId: first.messageId, content: 'oh darn it' });
    expect(edited.message.content).toBe('oh **** it');
    const again = await bob.does('message:edit', { messageId: first.messageId, content: 'oh darn it' });
    expect(again.message.rev).toBe(edited.message.rev);
  });

  it('flag: sent as it is, and reported once for each writing', async () => {
    const { id: ruleId } = await rule(root, 'word', 'suspicious', 'flag');
    const sent = await bob.sends(roomId, 'a suspicious thing', { clientMessageId: 'flag-me' });
    await bob.sends(roomId, 'a suspicious thing', { clientMessageId: 'flag-me' });
    await alice.receives('message:new', { id: sent.messageId, content: 'a suspicious thing' });
    const [report] = await flagged(sent.messageId, 1);
    expect(report).toMatchObject({
      roomId,
      senderId: bob.id,
      content: 'a suspicious thing',
      ruleId,
      status: 'open',
    });
    expect(report).not.toHaveProperty('reportedBy');

    // While it is open the same rule reports the message no more; after that it does.
    await bob.does('message:edit', { messageId: sent.messageId, content: 'more suspicious' });
    await bob.does('message:delete', { messageId: sent.messageId });
    const other = await bob.sends(roomId, 'harmless');
    await bob.does('message:edit', { messageId: other.messageId, content: 'suspicious after all' });
    await flagged(other.messageId, 1);
    expect(await flagged(sent.messageId, 1)).toMatchObject([{ content: 'a suspicious thing' }]);
    await root.rest('POST', `/moderation/reports/${(await flagged(other.messageId, 1))[0]!.id}/close`, {
      status: 'dismissed',
    });
    await bob.does('message:edit', { messageId: other.messageId, content: 'suspicious again' });
    expect(await flagged(other.messageId, 2)).toMatchObject([
      { content: 'suspicious again' },
      { status: 'dismissed' },
    ]);
  });

  it('rules are made and taken back by administrators, with a reason that is audited', async () => {
    const made = await rule(root, 'word', 'Temporary', 'reject');
    expect(await rule(root, 'word', ' temporary ', 'reject')).toEqual(made);
    expect(
      await root.rest('POST', '/moderation/filters', {
        kind: 'word',
        pattern: 'TEMPORARY',
        action: 'mask',
        reason: 'x',
      }),
    ).toMatchObject({ status: 409 });
    expect(
      await root.rest('POST', '/moderation/filters', {
        kind: 'link',
        pattern: 'https://x.y/',
        action: 'mask',
        reason: 'x',
      }),
    ).toMatchObject({ status: 400, body: { details: [{ path: 'pattern' }] } });
    expect((await root.rest('GET', '/moderation/filters')).body).toMatchObject({
      data: expect.arrayContaining([made]) as unknown,
      hasMore: false,
    });
    for (const [method, path, body] of [
      ['GET', '/moderation/filters', undefined],
      ['POST', '/moderation/filters', { kind: 'word', pattern: 'x', action: 'mask', reason: 'x' }],
      ['DELETE', `/moderation/filters/${made.id}?reason=x`, undefined],
    ] as const)
      expect(await alice.rest(method, path, body)).toMatchObject({ status: 403 });

    await bob.refused('message:send', { roomId, content: 'temporary' });
    expect(await root.rest('DELETE', `/moderation/filters/${made.id}`)).toMatchObject({ status: 400 });
    expect(await root.rest('DELETE', `/moderation/filters/${made.id}?reason=over`)).toMatchObject({
      status: 204,
    });
    await bob.sends(roomId, 'temporary');
    expect(await root.rest('DELETE', `/moderation/filters/${made.id}?reason=over`)).toMatchObject({
      status: 404,
    });
    const entries = (await root.rest('GET', `/audit-log?targetId=${made.id}`)).body as Page<AuditEntry>;
    expect(entries.data).toMatchObject([
      { act: 'filter.delete', reason: 'over', before: { pattern: 'Temporary' } },
      {
        act: 'filter.create',
        reason: 'house rules',
        after: { kind: 'word', pattern: 'Temporary', action: 'reject' },
      },
    ]);
  });

  it('of two rules made at once for one pattern one is there', async () => {
    const made = await Promise.all(Array.from({ length: 10 }, () => rule(root, 'word', 'at once', 'flag')));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  });

  it('a rule holds for the very next message, while others are being written', async () => {
    const over = new AbortController();
    const stream = (async () => {
      while (!over.signal.aborted) await alice.sends(roomId, 'background');
    })();
    for (let round = 0; round < 10; round++) {
      const word = `round${String(round)}`;
      await bob.sends(roomId, word);
      const { id } = await rule(root, 'word', word, 'reject');
      expect(await bob.refused('message:send', { roomId, content: word })).toMatchObject({
        code: 'CONTENT_REJECTED',
      });
      await root.rest('DELETE', `/moderation/filters/${id}?reason=x`);
      await bob.sends(roomId, word);
    }
    over.abort();
    await stream;
  });

  (onPostgres() ? it : it.skip)(
    'a rule made on one instance holds for the next message on both',
    async () => {
      const second = await TestServer.start({}, database);
      try {
        const there = await second.connected(bob.session);
        for (let round = 0; round < 5; round++) {
          const word = `shared${String(round)}`;
          await there.sends(roomId, word);
          const { id } = await rule(root, 'word', word, 'reject');
          for (const device of [there, bob])
            expect(await device.refused('message:send', { roomId, content: word })).toMatchObject({
              code: 'CONTENT_REJECTED',
            });
          await root.rest('DELETE', `/moderation/filters/${id}?reason=x`);
          for (const device of [there, bob]) await device.sends(roomId, word);
        }
      } finally {
        await second.stop();
      }
    },
  );

  /** The reports of a message, when there are this many. */
  async function flagged(messageId: string, count: number): Promise<Report[]> {
    const deadline = Date.now() + 8000;
    for (;;) {
      const { body } = await root.rest('GET', `/moderation/reports?roomId=${roomId}`);
      const found = (body as Page<Report>).data.filter((report) => report.messageId === messageId);
      if (found.length >= count) {
        expect(found).toHaveLength(count);
        return found;
      }
      if (Date.now() > deadline) throw new Error(`Only ${String(found.length)} reports`);
    }
  }
});

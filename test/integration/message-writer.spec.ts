import fc from 'fast-check';
import type { ReadState } from '../../src/contract/views.js';
import type { Actor } from '../harness/actor.js';
import { createTestDatabase, type TestDatabase } from '../harness/database.js';
import { TestServer } from '../harness/server.js';
import { expectGapFreeRevs, onPostgres, WriterFixture } from '../harness/writer-fixture.js';

describe('the message writer', () => {
  let database: TestDatabase;
  let server: TestServer;
  let writer: WriterFixture;
  let alice: Actor;
  let bob: Actor;
  let rooms = 0;

  beforeAll(async () => {
    database = await createTestDatabase();
    server = await TestServer.start({}, database);
    writer = new WriterFixture(server);
    [alice, bob] = await server.actors('alice', 'bob');
  });
  afterAll(async () => {
    await server.stop();
    await database.drop();
  });
  afterEach(() => writer.expectNoGaps());

  async function newRoom(more: { history?: 'since_join' } = {}): Promise<string> {
    const roomId = `room-${String(++rooms)}`;
    await alice.does('room:create', { roomId, name: roomId, type: 'public', memberIds: [bob.id], ...more });
    return roomId;
  }

  describe('the same clientMessageId', () => {
    it('twice in one batch is written once; both get the same answer', async () => {
      const roomId = await newRoom();
      const request = { roomId, content: 'once', clientMessageId: `twin-${roomId}` };
      const answers = await Promise.all([1, 2, 3].map(() => writer.send(alice, request)));
      expect(answers.map(({ deduplicated }) => deduplicated)).toEqual([false, true, true]);
      expect(new Set(answers.map(({ messageId, seq, rev }) => `${messageId} ${seq} ${rev}`)).size).toBe(1);
      await bob.hasSeenEverythingOf(roomId, alice);
      expect(bob.got('message:new').filter((message) => message.roomId === roomId)).toHaveLength(2);
    });

    it('with another request, or in another room, is a conflict', async () => {
      const [one, other] = [await newRoom(), await newRoom()];
      const clientMessageId = `conflict-${one}`;
      const answers = await Promise.allSettled([
        writer.send(alice, { roomId: one, content: 'same', clientMessageId }),
        writer.send(alice, { roomId: other, content: 'same', clientMessageId }),
        writer.send(alice, { roomId: one, content: 'different', clientMessageId }),
      ]);
      expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const refusals = answers.flatMap((answer) =>
        answer.status === 'rejected' ? [answer.reason.code] : [],
      );
      expect(refusals).toEqual(['IDEMPOTENCY_CONFLICT', 'IDEMPOTENCY_CONFLICT']);
      // The id belongs to its sender: bob may choose the same.
      await expect(
        writer.send(bob, { roomId: other, content: 'mine', clientMessageId }),
      ).resolves.toMatchObject({
        deduplicated: false,
      });
    });

    it('after an edit, a deletion and a kick still gives the first answer, and tells nobody', async () => {
      const roomId = await newRoom();
      const request = { roomId, content: 'first', clientMessageId: `again-${roomId}` };
      const { deduplicated: _, ...first } = await bob.sends(roomId, request.content, request);
      const repeated = { status: 'ok', ...first, deduplicated: true };
      await bob.does('message:edit', { messageId: first.messageId, content: 'edited' });
      expect(await bob.ack('message:send', request)).toEqual(repeated);
      await bob.does('message:delete', { messageId: first.messageId });
      expect(await bob.ack('message:send', request)).toEqual(repeated);
      await alice.does('room:kick', { roomId, userId: bob.id });
      expect(await bob.ack('message:send', request)).toEqual(repeated);
      expect(await bob.refused('message:send', { ...request, clientMessageId: undefined })).toMatchObject({
        code: 'NOT_A_MEMBER',
      });
      await alice.hasSeenEverythingOf(roomId, alice);
      expectGapFreeRevs(alice, roomId);
      expect(alice.got('message:new').filter((message) => message.roomId === roomId)).toHaveLength(2);
    });

    (onPostgres() ? it : it.skip)(
      'sent through two servers at once, 200 times, is one message each',
      async () => {
        const second = await TestServer.start({}, database);
        try {
          const roomId = await newRoom();
          const there = new WriterFixture(second);
          for (let round = 0; round < 20; round++) {
            const ids = Array.from({ length: 10 }, (_, index) => `two-${String(round)}-${String(index)}`);
            const sendAll = (through: WriterFixture) =>
              ids.map((clientMessageId) =>
                through.send(alice, { roomId, content: clientMessageId, clientMessageId }),
              );
            const [here, thither] = await Promise.all([
              Promise.all(sendAll(writer)),
              Promise.all(sendAll(there)),
            ]);
            here.forEach((answer, index) => {
              const { deduplicated, ...rest } = thither[index]!;
              expect(answer).toEqual({ ...rest, deduplicated: !deduplicated });
            });
          }
          expect(await writer.stored(roomId)).toHaveLength(200);
        } finally {
          await second.stop();
        }
      },
    );

    (onPostgres() ? it : it.skip)(
      'sent to different rooms through two servers at once is written in one',
      async () => {
        const second = await TestServer.start({}, database);
        try {
          const [one, other] = [await newRoom(), await newRoom()];
          const there = new WriterFixture(second);
          for (let round = 0; round < 30; round++) {
            const ids = Array.from({ length: 5 }, (_, index) => `apart-${String(round)}-${String(index)}`);
            // In opposite order, so that the two transactions wait for each other.
            const answers = await Promise.allSettled([
              ...ids.map((clientMessageId) =>
                writer.send(alice, { roomId: one, content: 'x', clientMessageId }),
              ),
              ...[...ids]
                .reverse()
                .map((clientMessageId) =>
                  there.send(alice, { roomId: other, content: 'x', clientMessageId }),
                ),
            ]);
            expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
            for (const answer of answers)
              if (answer.status === 'rejected')
                expect(answer.reason).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
          }
          expect([...(await writer.stored(one)), ...(await writer.stored(other))]).toHaveLength(150);
        } finally {
          await second.stop();
        }
      },
    );
  });

  describe('a batch', () => {
    it('of 500 is not spoilt by a refusal, a repetition and a row that cannot be written among them', async () => {
      const roomId = await newRoom();
      const [stranger] = await server.actors(`stranger-${roomId}`);
      const drop = await writer.trigger(`IF NEW.content = 'poison' THEN RAISE SQLSTATE '22023'; END IF;`);
      try {
        const contents = Array.from({ length: 500 }, (_, index) => String(index));
        const answers = await Promise.allSettled(
          contents.map((content, index) => {
            if (index === 100) return writer.send(stranger, { roomId, content });
            if (index === 300) return writer.send(alice, { roomId, content: 'poison' });
            const same = index === 200 ? 50 : index;
            return writer.send(alice, {
              roomId,
              content: String(same),
              clientMessageId: `${roomId}-${String(same)}`,
            });
          }),
        );
        expect(answers.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))).toEqual([
          100, 300,
        ]);
        const [first, repeated] = [50, 200].map(
          (index) => (answers[index] as (typeof answers)[number] & { status: 'fulfilled' }).value,
        );
        expect(repeated).toEqual({ ...first, deduplicated: true });
        const written = contents.filter((_, index) => ![100, 200, 300].includes(index));
        expect((await writer.stored(roomId)).map(({ content }) => content)).toEqual(written);
        await bob.hasSeenEverythingOf(roomId, alice);
        expectGapFreeRevs(bob, roomId);
      } finally {
        await drop();
      }
    });

    it('is not spoilt by a row that cannot be written', async () => {
      const [roomId, other] = [await newRoom(), await newRoom()];
      const drop = await writer.trigger(`IF NEW.content LIKE 'poison%' THEN RAISE SQLSTATE '22023'; END IF;`);
      try {
        const contents = Array.from({ length: 120 }, (_, index) =>
          index % 40 === 7 ? 'poison' : `good ${String(index)}`,
        );
        const answers = await Promise.allSettled(
          contents.map((content, index) =>
            writer.send(alice, { roomId: index % 3 ? roomId : other, content }),
          ),
        );
        expect(answers.map(({ status }) => status === 'fulfilled')).toEqual(
          contents.map((content) => content !== 'poison'),
        );
        const stored = [...(await writer.stored(roomId)), ...(await writer.stored(other))];
        expect(stored).toHaveLength(117);
        for (const id of [roomId, other])
          expect((await writer.stored(id)).map(({ content }) => content)).toEqual(
            contents.filter((content, index) => content !== 'poison' && (index % 3 ? roomId : other) === id),
          );
      } finally {
        await drop();
      }
    });

    /** Everything the lane did not know used to be tried again for 10 s, and everybody behind it waited. */
    it('is not held up by a refusal of the database that is no data error', async () => {
      const roomId = await newRoom();
      const drop = await writer.trigger(`IF NEW.content = 'poison' THEN RAISE EXCEPTION 'no'; END IF;`);
      try {
        const started = performance.now();
        const answers = await Promise.allSettled(
          ['one', 'poison', 'two'].map((content) => writer.send(alice, { roomId, content })),
        );
        expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
        expect(performance.now() - started).toBeLessThan(3000);
      } finally {
        await drop();
      }
    });

    it.each(['40001', '40P01'])('that fails with %s is tried again', async (code) => {
      const roomId = await newRoom();
      await writer.sql('CREATE SEQUENCE test_attempts');
      // A sequence does not roll back: the first two attempts fail, the third is let through.
      const drop = await writer.trigger(
        `IF nextval('test_attempts') <= 2 THEN RAISE SQLSTATE '${code}'; END IF;`,
      );
      try {
        const answers = await Promise.all(
          ['a', 'b', 'c'].map((content) => writer.send(alice, { roomId, content })),
        );
        expect(answers.map(({ seq }) => seq)).toEqual([1, 2, 3]);
        await bob.hasSeenEverythingOf(roomId, alice);
        expectGapFreeRevs(bob, roomId);
      } finally {
        await drop();
        await writer.sql('DROP SEQUENCE test_attempts');
      }
    });

    it('holds to slow mode within itself', async () => {
      const roomId = await newRoom();
      await alice.does('room:update', { roomId, slowModeSeconds: 60 });
      const answers = await Promise.allSettled(
        ['first', 'second', 'third'].map((content) => writer.send(bob, { roomId, content })),
      );
      expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
      const refusal = (answers[1] as PromiseRejectedResult).reason;
      expect(refusal).toMatchObject({ code: 'SLOW_MODE' });
      expect(refusal.retryAfterMs).toBeGreaterThan(59_000);
      expect(refusal.retryAfterMs).toBeLessThanOrEqual(60_000);
      // Whoever may set slow mode is not slowed.
      await Promise.all(['x', 'y'].map((content) => writer.send(alice, { roomId, content })));
    });

    it('leaves no trace of what it refuses', async () => {
      const roomId = await newRoom();
      const [stranger] = await server.actors(`stranger-${roomId}`);
      const answers = await Promise.allSettled(
        [alice, stranger, bob, stranger, alice].map((actor, index) =>
          writer.send(actor, { roomId, content: String(index) }),
        ),
      );
      expect(answers.map(({ status }) => status === 'fulfilled')).toEqual([true, false, true, false, true]);
      expect((await writer.stored(roomId)).map(({ seq, content }) => [seq, content])).toEqual([
        [1, '0'],
        [2, '2'],
        [3, '4'],
      ]);
    });
  });

  it('keeps the order of 300 pipelined sends of one socket', async () => {
    const roomId = await newRoom();
    const contents = Array.from({ length: 300 }, (_, index) => String(index));
    const answers = await Promise.all(contents.map((content) => bob.sends(roomId, content)));
    expect(answers.map(({ seq }) => seq)).toEqual(contents.map((_, index) => index + 1));
    expect((await writer.stored(roomId)).map(({ content }) => content)).toEqual(contents);
    await alice.hasSeenEverythingOf(roomId, bob);
    expectGapFreeRevs(alice, roomId);
  });

  it('refuses with UNAVAILABLE and retryAfterMs when its queue is full, and takes messages again afterwards', async () => {
    const small = await TestServer.start({ WRITE_QUEUE_LIMIT: '10' });
    try {
      const [carol] = await small.actors('carol');
      await carol.does('room:join', { roomId: 'full', roomName: 'Full' });
      const fixture = new WriterFixture(small);
      const answers = await Promise.allSettled(
        Array.from({ length: 25 }, (_, index) =>
          fixture.send(carol, { roomId: 'full', content: String(index) }),
        ),
      );
      expect(answers.map(({ status }) => status === 'fulfilled')).toEqual(
        answers.map((_, index) => index < 10),
      );
      expect((answers[10] as PromiseRejectedResult).reason).toMatchObject({
        code: 'UNAVAILABLE',
        retryAfterMs: 1000,
      });
      expect(await carol.sends('full', 'later')).toMatchObject({ seq: 11 });
      await fixture.expectNoGaps();
    } finally {
      await small.stop();
    }
  });

  it("does not tell newcomers of a 'since_join' room what became of older messages", async () => {
    const roomId = await newRoom({ history: 'since_join' });
    const old = await alice.sends(roomId, 'before');
    const [newcomer] = await server.actors(`newcomer-${roomId}`);
    await newcomer.does('room:join', { roomId });
    await alice.does('message:edit', { messageId: old.messageId, content: 'changed' });
    await alice.does('message:react', { messageId: old.messageId, emoji: '👍', on: true });
    await bob.receives('message:updated', { id: old.messageId, rev: 3 });
    await newcomer.hasSeenEverythingOf(roomId, alice);
    expect(newcomer.got('message:updated')).toEqual([]);
    const { messages, rev } = await newcomer.does('room:sync', { roomId, since: 0 });
    expect(messages.map(({ content }) => content)).toEqual(['fence']);
    expect(rev).toBe(4);
    expect(
      await newcomer.refused('message:react', { messageId: old.messageId, emoji: '👍', on: true }),
    ).toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  describe('unread and mention counts', () => {
    /** Straight from the definition, in one loop over every message. */
    async function recount(roomId: string, userId: string): Promise<Omit<ReadState, 'version'>> {
      const [member] = await writer.sql<{ last_read_seq: number }>(
        'SELECT last_read_seq FROM room_members WHERE room_id = $1 AND user_id = $2',
        [roomId, userId],
      );
      const lastReadSeq = member!.last_read_seq;
      const messages = await writer.sql<{
        seq: number;
        sender_id: string;
        mentions: string[];
        thread_id: string | null;
        deleted_at: Date | null;
      }>('SELECT * FROM messages WHERE room_id = $1', [roomId]);
      const unread = messages.filter(
        ({ seq, sender_id, thread_id, deleted_at }) =>
          seq > lastReadSeq && sender_id !== userId && thread_id === null && deleted_at === null,
      );
      const mentions = unread.filter((message) =>
        message.mentions.some((who) => who === userId || who === '@room'),
      );
      return { roomId, lastReadSeq, unread: unread.length, mentions: mentions.length };
    }

    const who = fc.nat({ max: 2 });
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          do: fc.constant('send' as const),
          who,
          mentions: fc.uniqueArray(who),
          all: fc.boolean(),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant('reply' as const),
          who,
          target: fc.nat(),
          mentions: fc.uniqueArray(who),
        }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), who, target: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('edit' as const), who, target: fc.nat() }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('read' as const), who, target: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('rejoin' as const), who: fc.constant(2) }) },
    );

    it('equal a recount from scratch after anything', async () => {
      const [carol] = await server.actors('carol');
      const people = [alice, bob, carol];
      const property = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const roomId = await newRoom();
        await carol.does('room:join', { roomId });
        const sent: string[] = [];
        for (const [index, action] of steps.entries()) {
          const actor = people[action.who]!;
          const target = 'target' in action ? sent[action.target % Math.max(1, sent.length)] : undefined;
          const mentions = 'mentions' in action ? action.mentions.map((person) => people[person]!.id) : [];
          if (action.do === 'send') {
            if (action.all && actor === alice) mentions.push('@room');
            sent.push((await actor.sends(roomId, String(index), { mentions })).messageId);
          } else if (action.do === 'rejoin') {
            await actor.does('room:leave', { roomId });
            await actor.does('room:join', { roomId });
          } else if (target === undefined) continue;
          else if (action.do === 'reply')
            await actor.ack('message:send', { roomId, content: 'reply', threadId: target, mentions });
          else if (action.do === 'delete') await actor.ack('message:delete', { messageId: target });
          else if (action.do === 'edit')
            await actor.ack('message:edit', { messageId: target, content: 'other' });
          else await actor.does('message:read', { roomId, messageId: target });
        }
        for (const actor of people) {
          // Joining as a member changes nothing.
          const { version: _, ...shown } = (await actor.does('room:join', { roomId })).readState;
          expect(shown).toEqual(await recount(roomId, actor.id));
        }
      });
      // fast-check prints the seed and the smallest counterexample.
      await fc.assert(property, { numRuns: 15, endOnFailure: true });
    });
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Actor } from '../harness/actor.js';
import { DatabaseProxy, type CommitFault } from '../harness/database-proxy.js';
import { createTestDatabase, type TestDatabase } from '../harness/database.js';
import { Intruder } from '../harness/intruder.js';
import { TestServer } from '../harness/server.js';
import { expectGapFreeRevs, onPostgres, WriterFixture } from '../harness/writer-fixture.js';

/** A Postgres that breaks, and a server that reaches it through a proxy. The embedded database has neither locks nor a network. */
(onPostgres() ? describe : describe.skip)('the message writer, when the database is in trouble,', () => {
  let database: TestDatabase;
  let proxy: DatabaseProxy;
  let server: TestServer;
  let writer: WriterFixture;
  let intruder: pg.Client;
  let alice: Actor;
  let bob: Actor;
  let rooms = 0;

  beforeAll(async () => {
    database = await createTestDatabase();
    proxy = await DatabaseProxy.before(database.databaseUrl!);
    server = await TestServer.start({ DATABASE_URL: proxy.url }, database);
    writer = new WriterFixture(server);
    intruder = new pg.Client({ connectionString: database.databaseUrl });
    await intruder.connect();
    [alice, bob] = await server.actors('alice', 'bob');
  });
  afterAll(async () => {
    await intruder.end();
    await server.stop();
    await proxy.stop();
    await database.drop();
  });
  afterEach(() => writer.expectNoGaps());

  async function newRoom(): Promise<string> {
    const roomId = `room-${String(++rooms)}`;
    await alice.does('room:create', { roomId, name: roomId, type: 'public', memberIds: [bob.id] });
    // What a new room brings is told; nothing of it is under way when the fault comes.
    await Promise.all([alice, bob].map((actor) => actor.receives('room:read-state', { roomId })));
    return roomId;
  }

  async function locked<T>(roomIds: string[], work: () => Promise<T>): Promise<T> {
    await intruder.query('BEGIN');
    try {
      await intruder.query('SELECT FROM rooms WHERE id = ANY($1) FOR UPDATE', [roomIds]);
      return await work();
    } finally {
      await intruder.query('COMMIT');
    }
  }

  describe('a locked room', () => {
    /** There was no lock_timeout, so 55P03 never came: everybody in the lane waited as long as the locked room. */
    it('waits alone, and its messages come in order when it is free', async () => {
      const closed = await newRoom();
      // Enough rooms for both lanes.
      const open = await Promise.all([1, 2, 3, 4, 5, 6].map(newRoom));
      const contents = Array.from({ length: 30 }, (_, index) => String(index));
      const waiting = await locked([closed], async () => {
        const first = contents.slice(0, 10).map((content) => bob.sends(closed, content));
        await sleep(50);
        const started = performance.now();
        // The first ones of the lane wait until the locked room is set aside, later ones not at all.
        await Promise.all(open.map((roomId) => bob.sends(roomId, 'meanwhile')));
        expect(performance.now() - started).toBeLessThan(1500);
        const second = contents.slice(10, 20).map((content) => bob.sends(closed, content));
        const slowest = Math.max(
          ...(await Promise.all(
            Array.from({ length: 100 }, async (_, index) => {
              await sleep(index * 15);
              const at = performance.now();
              await bob.sends(open[index % open.length]!, String(index));
              return performance.now() - at;
            }),
          )),
        );
        expect(slowest).toBeLessThan(400);
        return [...first, ...second];
      });
      const third = contents.slice(20).map((content) => bob.sends(closed, content));
      const answers = await Promise.all([...waiting, ...third]);
      expect(answers.map(({ seq }) => seq)).toEqual(contents.map((_, index) => index + 1));
      expect((await writer.stored(closed)).map(({ content }) => content)).toEqual(contents);
      await alice.hasSeenEverythingOf(closed, bob);
      expectGapFreeRevs(alice, closed);
    });

    it('does not hold up a batch it shares with other rooms', async () => {
      const [closed, ...open] = await Promise.all([1, 2, 3, 4, 5, 6].map(newRoom));
      const late = await locked([closed!], async () => {
        const answers = [closed!, ...open, closed!].map((roomId) =>
          writer.send(bob, { roomId, content: 'x' }),
        );
        await Promise.all(answers.slice(1, -1));
        return [answers[0]!, answers.at(-1)!];
      });
      expect((await Promise.all(late)).map(({ seq }) => seq)).toEqual([1, 2]);
    });

    it('even if there are more of them than connections', async () => {
      const closed = await Promise.all(Array.from({ length: 25 }, newRoom));
      const open = await newRoom();
      const waiting = await locked(closed, async () => {
        const sends = closed.map((roomId) => writer.send(bob, { roomId, content: 'x' }));
        await writer.send(bob, { roomId: open, content: 'meanwhile' });
        await sleep(1500);
        const started = performance.now();
        await writer.send(bob, { roomId: open, content: 'meanwhile' });
        await alice.does('message:history', { roomId: open });
        expect(performance.now() - started).toBeLessThan(400);
        return sends;
      });
      expect((await Promise.all(waiting)).map(({ seq }) => seq)).toEqual(closed.map(() => 1));
    });

    it('that somebody is kicked from meanwhile refuses their message', async () => {
      const roomId = await newRoom();
      await intruder.query('BEGIN');
      await intruder.query('SELECT FROM rooms WHERE id = $1 FOR UPDATE', [roomId]);
      const [fromBob, fromAlice] = [
        bob.ack('message:send', { roomId, content: 'too late' }),
        alice.sends(roomId, 'fine'),
      ];
      // The batch is waiting for the lock when the kick is committed.
      await sleep(200);
      await intruder.query('DELETE FROM room_members WHERE room_id = $1 AND user_id = $2', [roomId, bob.id]);
      await intruder.query('COMMIT');
      expect(await fromBob).toMatchObject({ status: 'error', error: { code: 'NOT_A_MEMBER' } });
      expect(await fromAlice).toMatchObject({ seq: 1 });
    });
  });

  const FAULTS: CommitFault[] = ['lose-writes', 'lose-commit', 'lose-answer', 'strand'];

  /** Of a room that the writer does not know, or knows from the batch before. */
  describe.each<[CommitFault, RegExp]>([
    ['lose-writes', /batch-lock-rooms/],
    ...FAULTS.map((fault): [CommitFault, RegExp] => [fault, /batch-insert-messages/]),
    ...FAULTS.map((fault): [CommitFault, RegExp] => [fault, /batch-if-unchanged/]),
  ])('a batch hit by %s after %s', (fault, after) => {
    it('leaves every message acknowledged once and there once', async () => {
      const known = after.test('batch-if-unchanged') ? await newRoom() : undefined;
      if (known !== undefined) await bob.sends(known, 'first');
      for (let round = 0; round < 3; round++) {
        const roomId = known ?? (await newRoom());
        const before = (await writer.stored(roomId)).length;
        const contents = ['a', 'b', 'c'].map((content) => `${content}${String(round)}`);
        const hit = proxy.breakNextCommit(fault, after);
        const started = performance.now();
        const answers = await Promise.all(contents.map((content) => bob.sends(roomId, content)));
        await hit;
        expect(performance.now() - started).toBeLessThan(3000);
        expect(answers.map(({ seq, deduplicated }) => [seq, deduplicated])).toEqual(
          contents.map((_, index) => [before + index + 1, false]),
        );
        await alice.hasSeenEverythingOf(roomId, bob);
        const stored = await writer.stored(roomId);
        expect(stored.slice(before, -1).map(({ content }) => content)).toEqual(contents);
        const told = alice.got('message:new').filter((message) => message.roomId === roomId);
        expect(told.map(({ seq, content }) => [seq, content])).toEqual(
          stored.map(({ seq, content }) => [seq, content]),
        );
        expectGapFreeRevs(alice, roomId);
      }
    });
  });

  /**
   * Without an id of its client's, nobody can ask what became of a message: the writer itself finds it by the id it gave it,
   * or would have written it again, and failed on that id until it gave up.
   */
  it.each(FAULTS)('writes a message without a clientMessageId once that was hit by %s', async (fault) => {
    const roomId = await newRoom();
    await bob.sends(roomId, 'first');
    const hit = proxy.breakNextCommit(fault, /batch-if-unchanged/);
    const sent = await writer.send(bob, { roomId, content: 'second' });
    await hit;
    expect(sent).toMatchObject({ seq: 2, deduplicated: false });
    await alice.receives('message:new', { id: sent.messageId, content: 'second' });
    expect(await writer.stored(roomId)).toHaveLength(2);
  });

  /** After 20 s the answer counts as lost. By then the message has waited for longer than any may, and used to be refused. */
  it('looks for a message whose COMMIT was swallowed before it refuses it', async () => {
    const roomId = await newRoom();
    await bob.sends(roomId, 'first');
    const hit = proxy.breakNextCommit('mute-answer', /batch-if-unchanged/);
    const sent = writer.send(bob, { roomId, content: 'swallowed' });
    await hit;
    expect(await sent).toMatchObject({ seq: 2, deduplicated: false });
    await alice.receives('message:new', { id: (await sent).messageId });
  }, 60_000);

  /** Changed messages are read back before COMMIT, so COMMIT leaves alone. */
  it.each(FAULTS)('makes a change once whose batch was hit by %s', async (fault) => {
    const roomId = await newRoom();
    const { messageId } = await bob.sends(roomId, 'first');
    const hit = proxy.breakNextCommit(fault, /batch-update-messages/);
    const { message } = await bob.does('message:edit', { messageId, content: 'changed' });
    await hit;
    expect(message).toMatchObject({ content: 'changed', seq: 1, rev: 2 });
    await alice.hasSeenEverythingOf(roomId, bob);
    expectGapFreeRevs(alice, roomId);
    const told = alice.got('message:updated').filter(({ id }) => id === messageId);
    expect(told).toEqual([message]);
  });

  /** The batch finds the row of the other one only when it writes its own: the index lets one of them be. */
  it('finds what another node has written under the same clientMessageId meanwhile', async () => {
    const [roomId, elsewhere] = [await newRoom(), await newRoom()];
    const other = await Intruder.at(database);
    try {
      const clientMessageId = `meanwhile-${roomId}`;
      const answers = await other.holds(
        `WITH head AS (UPDATE rooms SET last_seq = 1, last_rev = 1 WHERE id = $1)
         INSERT INTO messages (id, room_id, seq, rev, created_rev, sender_id, client_message_id, type, content, created_at)
         VALUES (gen_random_uuid(), $1, 1, 1, 1, $2, $3, 'text', 'there', now())`,
        [elsewhere, bob.id, clientMessageId],
        async () => {
          const sends = ['before', 'same', 'after'].map((content) =>
            writer.send(bob, { roomId, content, ...(content === 'same' && { clientMessageId }) }),
          );
          await other.sees(1);
          return sends;
        },
      );
      expect(await Promise.allSettled(answers)).toMatchObject([
        { status: 'fulfilled', value: { seq: 1 } },
        { status: 'rejected', reason: { code: 'IDEMPOTENCY_CONFLICT' } },
        { status: 'fulfilled', value: { seq: 2 } },
      ]);
    } finally {
      await other.leave();
    }
  });

  it('rides out sessions that are ended by an administrator', async () => {
    const roomId = await newRoom();
    const stop = new AbortController();
    const killing = (async () => {
      while (!stop.signal.aborted) {
        await intruder.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'parley' AND datname = current_database() AND pid <> pg_backend_pid()`,
        );
        await sleep(40);
      }
    })();
    const sent: string[] = [];
    try {
      for (let index = 0; index < 60; index++) {
        const contents = [`${String(index)}a`, `${String(index)}b`];
        await Promise.all(contents.map((content) => writer.send(bob, { roomId, content })));
        sent.push(...contents);
      }
    } finally {
      stop.abort();
      await killing;
    }
    expect((await writer.stored(roomId)).map(({ content }) => content)).toEqual(sent);
    await alice.hasSeenEverythingOf(roomId, bob);
    expectGapFreeRevs(alice, roomId);
  });

  it('acknowledges what came while Postgres was away for 3 s', async () => {
    const roomId = await newRoom();
    await proxy.stop();
    const contents = Array.from({ length: 20 }, (_, index) => String(index));
    const answers = contents.map((content) => bob.sends(roomId, content));
    await sleep(3000);
    await proxy.start();
    expect((await Promise.all(answers)).map(({ seq }) => seq)).toEqual(contents.map((_, index) => index + 1));
    expect((await writer.stored(roomId)).map(({ content }) => content)).toEqual(contents);
  });

  it('refuses with UNAVAILABLE what it could not write for 10 s, all of it at the same time', async () => {
    const roomId = await newRoom();
    await proxy.stop();
    try {
      const started = performance.now();
      const answers = await Promise.allSettled(
        Array.from({ length: 1200 }, (_, index) => writer.send(bob, { roomId, content: String(index) })),
      );
      expect(performance.now() - started).toBeLessThan(13_000);
      for (const answer of answers)
        expect(answer).toMatchObject({
          status: 'rejected',
          reason: { code: 'UNAVAILABLE', retryAfterMs: 1000 },
        });
    } finally {
      await proxy.start();
    }
    expect(await bob.sends(roomId, 'back')).toMatchObject({ seq: 1 });
  }, 30_000);
});

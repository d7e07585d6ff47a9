import { DataSource, type QueryRunner } from 'typeorm';
import type { ReadState } from '../../src/contract/views.js';
import type { Actor } from '../harness/actor.js';
import { DatabaseProxy } from '../harness/database-proxy.js';
import { createTestDatabase, type TestDatabase } from '../harness/database.js';
import { TestServer } from '../harness/server.js';
import { SentStatements } from '../harness/statements.js';
import { onPostgres } from '../harness/writer-fixture.js';

const READS = 200;
const positions = Array.from({ length: READS }, (_, index) => index + 1);

/** People who scroll. The embedded database has no second session that could hold a row, and no network. */
(onPostgres() ? describe : describe.skip)('read positions', () => {
  let sent: SentStatements;
  let home: TestDatabase;
  let proxy: DatabaseProxy;
  let server: TestServer;
  let database: DataSource;
  let writer: Actor;
  let alice: Actor;
  let bob: Actor;
  let rooms = 0;
  let roomId: string;

  beforeAll(async () => {
    sent = new SentStatements();
    home = await createTestDatabase();
    proxy = await DatabaseProxy.before(home.databaseUrl!);
    server = await TestServer.start({ DATABASE_URL: proxy.url }, home);
    database = server.app.get(DataSource);
    [writer, alice, bob] = await server.actors('writer', 'alice', 'bob');
  });
  afterAll(async () => {
    await server.stop();
    await proxy.stop();
    await home.drop();
    sent.end();
  });
  beforeEach(async () => {
    roomId = `room-${String(++rooms)}`;
    await writer.does('room:create', { roomId, name: roomId, type: 'public', memberIds: [alice.id, bob.id] });
    await Promise.all(positions.map((n) => writer.sends(roomId, `message ${String(n)}`)));
  });

  const reads = (person: Actor, seqs: readonly number[]): Promise<ReadState[]> =>
    Promise.all(seqs.map(async (seq) => (await person.does('message:read', { roomId, seq })).readState));

  async function keptPosition({ id }: Actor): Promise<number | undefined> {
    const [row] = await database.query<{ last_read_seq: number }[]>(
      'SELECT last_read_seq FROM room_members WHERE room_id = $1 AND user_id = $2',
      [roomId, id],
    );
    return row?.last_read_seq;
  }

  /** Every answer is of a position that was asked for or a later one, and counts what is unread there. */
  function expectAnswers(states: ReadState[], seqs: readonly number[]): void {
    states.forEach(({ lastReadSeq, unread }, index) => {
      expect(lastReadSeq).toBeGreaterThanOrEqual(seqs[index] as number);
      expect(unread).toBe(Math.min(READS - lastReadSeq, 100));
    });
  }

  it('of one who scrolls through two hundred messages at once are written in a few statements', async () => {
    let states: ReadState[] = [];
    const updates = await sent.during(async () => {
      states = await reads(alice, positions);
    }, /UPDATE room_members/);
    expectAnswers(states, positions);
    expect(states.at(-1)).toMatchObject({ roomId, lastReadSeq: READS, unread: 0 });
    expect(await keptPosition(alice)).toBe(READS);
    expect(updates.length).toBeGreaterThan(0);
    expect(updates.length).toBeLessThan(READS / 4);
  });

  it('never move back, in whatever order they come', async () => {
    const upAndDown = [...positions].reverse();
    expectAnswers(await reads(alice, upAndDown), upAndDown);
    const { readState } = await alice.does('message:read', { roomId, seq: 3 });
    expect(readState.lastReadSeq).toBe(READS);
    expect(await keptPosition(alice)).toBe(READS);
  });

  it('of two people in one room are each their own', async () => {
    const half = positions.slice(0, READS / 2);
    const [ofAlice, ofBob] = await Promise.all([reads(alice, positions), reads(bob, half)]);
    expectAnswers(ofAlice, positions);
    expectAnswers(ofBob, half);
    expect(ofBob.at(-1)).toMatchObject({ lastReadSeq: READS / 2, unread: 100 });
    expect([await keptPosition(alice), await keptPosition(bob)]).toEqual([READS, READS / 2]);
    const toldOf = ({ id }: Actor): number | undefined =>
      writer
        .got('message:read')
        .filter((told) => told.roomId === roomId)
        .flatMap(({ cursors }) => cursors)
        .findLast(({ userId }) => userId === id)?.seq;
    await writer.inbox.until(
      () => toldOf(alice) === READS && toldOf(bob) === READS / 2,
      'the newest positions of both',
    );
  });

  it('are told to the other devices of the reader, the last one last', async () => {
    const tablet = await server.connected(alice.session);
    await reads(alice, positions);
    await tablet.receives('room:read-state', { roomId, lastReadSeq: READS, unread: 0 });
    const told = tablet.got('room:read-state').filter((state) => state.roomId === roomId);
    const versions = told.map(({ version }) => version);
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    tablet.disconnect();
  });

  it('beyond the end of the room are its end', async () => {
    const { readState } = await alice.does('message:read', { roomId, seq: 2_000_000_000 });
    expect(readState).toMatchObject({ lastReadSeq: READS, unread: 0 });
  });

  it('of somebody who is being kicked are either kept or refused', async () => {
    const [, ...answers] = await Promise.all([
      writer.does('room:kick', { roomId, userId: alice.id }),
      ...positions.map((seq) => alice.ack('message:read', { roomId, seq })),
    ]);
    for (const answer of answers)
      if (answer.status === 'error') expect(answer.error.code).toBe('NOT_A_MEMBER');
    expect(await keptPosition(alice)).toBeUndefined();
    expect(await alice.refused('message:read', { roomId, seq: 1 })).toMatchObject({ code: 'NOT_A_MEMBER' });
    expect(await alice.refused('message:read', { roomId: 'no-such-room', seq: 1 })).toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  describe('when the membership of one is locked', () => {
    let holder: QueryRunner;
    beforeEach(async () => {
      holder = database.createQueryRunner();
      await holder.startTransaction();
      await holder.query('SELECT FROM room_members WHERE room_id = $1 AND user_id = $2 FOR UPDATE', [
        roomId,
        alice.id,
      ]);
    });
    afterEach(async () => {
      if (holder.isTransactionActive) await holder.rollbackTransaction();
      await holder.release();
    });

    it('the others go on, and that one is written when the lock is gone', async () => {
      const waiting = reads(alice, [7]);
      const [ofBob] = await reads(bob, [9]);
      expect(ofBob?.lastReadSeq).toBe(9);
      expect(await keptPosition(alice)).toBe(0);
      await holder.rollbackTransaction();
      expect((await waiting)[0]?.lastReadSeq).toBe(7);
      expect(await keptPosition(alice)).toBe(7);
    });

    it('and the one who locked it ends the membership, it is refused', async () => {
      const refusal = alice.refused('message:read', { roomId, seq: 7 });
      await reads(bob, [1]);
      await holder.query('DELETE FROM room_members WHERE room_id = $1 AND user_id = $2', [roomId, alice.id]);
      await holder.commitTransaction();
      expect(await refusal).toMatchObject({ code: 'NOT_A_MEMBER' });
    });
  });

  it('are refused while the database is away, and kept by the next attempt', async () => {
    await proxy.stop();
    const refusals = await Promise.all(
      [1, 2, 3].map((seq) => alice.refused('message:read', { roomId, seq })),
    );
    for (const refusal of refusals) expect(refusal).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    await proxy.start();
    expectAnswers(await reads(alice, [1, 2, 3]), [1, 2, 3]);
    expect(await keptPosition(alice)).toBe(3);
  });

  it('are told once they are committed, also when the answer of the database is lost', async () => {
    const tablet = await server.connected(alice.session);
    const broken = proxy.breakNextCommit('lose-answer', /UPDATE room_members/);
    const answer = alice.does('message:read', { roomId, seq: 5 });
    await broken;
    expect((await answer).readState.lastReadSeq).toBe(5);
    await tablet.receives('room:read-state', { roomId, lastReadSeq: 5 });
    tablet.disconnect();
  });
});

import type { Actor } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';
import { WriterFixture } from '../harness/writer-fixture.js';

/** The rows that messages and memberships leave, before anybody has handled them. */
describe('facts for the outbox', () => {
  let server: TestServer;
  let writer: WriterFixture;
  let alice: Actor;
  let bob: Actor;
  let carol: Actor;
  let rooms = 0;

  beforeAll(async () => {
    server = await TestServer.start();
    writer = new WriterFixture(server);
    [alice, bob, carol] = await server.actors('alice', 'bob', 'carol');
    // A copy that no consumer deletes from.
    await writer.sql('CREATE TABLE facts AS SELECT id, topic, payload FROM outbox WITH NO DATA');
    await writer.sql(
      `CREATE FUNCTION copy_fact() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN INSERT INTO facts VALUES (NEW.id, NEW.topic, NEW.payload); RETURN NEW; END $$`,
    );
    await writer.sql(
      'CREATE TRIGGER copy_fact BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION copy_fact()',
    );
  });
  beforeEach(() => writer.sql('TRUNCATE facts'));
  afterAll(() => server.stop());

  async function newRoom(): Promise<string> {
    const roomId = `room-${String(++rooms)}`;
    await alice.does('room:create', { roomId, name: roomId, type: 'public' });
    await bob.does('room:join', { roomId });
    return roomId;
  }

  const facts = async (topic: string) =>
    (
      await writer.sql<{ payload: object }>('SELECT payload FROM facts WHERE topic = $1 ORDER BY id', [topic])
    ).map(({ payload }) => payload);

  describe('message.sent', () => {
    it('is for direct rooms, mentions, replies and threads, and for nothing else', async () => {
      const roomId = await newRoom();
      const direct = await alice.startsDirectWith(bob);
      const { messageId } = await alice.sends(roomId, 'plain');
      await alice.does('message:edit', { messageId, content: 'still plain' });
      await bob.does('message:react', { messageId, emoji: '👍', on: true });
      await alice.does('message:pin', { messageId, on: true });
      expect(await facts('message.sent')).toEqual([]);

      const sent = [
        { roomId: direct, ...(await alice.sends(direct, 'psst')) },
        { roomId, ...(await alice.sends(roomId, 'hey', { mentions: [bob.id] })) },
        { roomId, ...(await alice.sends(roomId, 'all', { mentions: ['@room'] })) },
        { roomId, ...(await bob.sends(roomId, 'yes', { replyTo: messageId })) },
        { roomId, ...(await bob.sends(roomId, 'aside', { threadId: messageId })) },
      ];
      expect(await facts('message.sent')).toEqual(
        sent.map((message) => ({ messageId: message.messageId, roomId: message.roomId })),
      );
    });

    it('is for every message of a room where somebody wants to hear of all, from the next one on', async () => {
      const [roomId, other] = [await newRoom(), await newRoom()];
      const level = (value: string | null) =>
        writer.sql('UPDATE room_members SET notify_level = $3 WHERE room_id = $1 AND user_id = $2', [
          roomId,
          bob.id,
          value,
        ]);
      await level('mentions');
      await alice.sends(roomId, 'one');
      await level('all');
      const two = await alice.sends(roomId, 'two');
      await alice.sends(other, 'elsewhere');
      await level('none');
      await alice.sends(roomId, 'three');
      expect(await facts('message.sent')).toEqual([{ messageId: two.messageId, roomId }]);
    });

    it('is one row for a message, however often it is sent, and none for a refused one', async () => {
      const roomId = await newRoom();
      const request = { roomId, content: 'hey', mentions: [bob.id], clientMessageId: `once-${roomId}` };
      // Twice in one batch, then once more.
      const answers = await Promise.all([1, 2].map(() => writer.send(alice, request)));
      answers.push(await writer.send(alice, request));
      expect(answers.map(({ deduplicated }) => deduplicated)).toEqual([false, true, true]);
      const refused = await Promise.allSettled([
        writer.send(alice, { ...request, content: 'another request' }),
        writer.send(alice, { roomId, content: 'hey', mentions: [carol.id] }),
        writer.send(carol, { roomId, content: 'hey', mentions: [bob.id] }),
        writer.send(alice, { roomId, content: 'hey', replyTo: '01890000-0000-7000-8000-000000000000' }),
      ]);
      expect(refused.map(({ status }) => status)).toEqual(Array.from({ length: 4 }, () => 'rejected'));
      expect(await facts('message.sent')).toEqual([{ messageId: answers[0]!.messageId, roomId }]);
    });

    it('is written for a whole batch, beside those without a cause, in the order of the messages', async () => {
      const roomId = await newRoom();
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, index) =>
          writer.send(alice, {
            roomId,
            content: String(index),
            ...(index % 2 === 0 && { mentions: [bob.id] }),
          }),
        ),
      );
      expect(await facts('message.sent')).toEqual(
        answers.filter((_, index) => index % 2 === 0).map(({ messageId }) => ({ messageId, roomId })),
      );
    });

    it('is gone with the message when its row cannot be written', async () => {
      const roomId = await newRoom();
      const drop = await writer.trigger(`IF NEW.content = 'poison' THEN RAISE EXCEPTION 'no'; END IF;`);
      try {
        const answers = await Promise.allSettled(
          ['a', 'poison', 'b'].map((content) => writer.send(alice, { roomId, content, mentions: [bob.id] })),
        );
        expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
        const written = answers.flatMap((answer) =>
          answer.status === 'fulfilled' ? [{ messageId: answer.value.messageId, roomId }] : [],
        );
        expect(await facts('message.sent')).toEqual(written);
      } finally {
        await drop();
      }
    });
  });

  it('message.deleted is for a message that becomes a tombstone, once', async () => {
    const roomId = await newRoom();
    const { messageId } = await alice.sends(roomId, 'plain');
    await bob.refused('message:delete', { messageId });
    expect(await facts('message.deleted')).toEqual([]);
    await alice.does('message:delete', { messageId });
    await alice.does('message:delete', { messageId });
    expect(await facts('message.deleted')).toEqual([{ messageId, roomId }]);
  });

  it('member.added is for those whom somebody else brought in, once', async () => {
    const added = (roomId: string, ...users: Actor[]) =>
      users.map(({ id }) => ({ roomId, userId: id, byUserId: alice.id }));
    const roomId = await newRoom();
    expect(await facts('member.added')).toEqual([]);

    await alice.does('room:invite', { roomId, userId: carol.id });
    await alice.does('room:invite', { roomId, userId: carol.id });
    await alice.does('room:invite', { roomId, userId: bob.id });
    await alice.refused('room:invite', { roomId, userId: 'nobody' });
    expect(await facts('member.added')).toEqual(added(roomId, carol));

    await writer.sql('TRUNCATE facts');
    const memberIds = [alice.id, bob.id, carol.id];
    await alice.does('room:create', { roomId: `${roomId}-b`, name: 'B', type: 'private', memberIds });
    await alice.refused('room:create', { roomId: `${roomId}-b`, name: 'B', type: 'private', memberIds });
    await alice.refused('room:create', {
      roomId: `${roomId}-c`,
      name: 'C',
      type: 'private',
      memberIds: ['x'],
    });
    const found = await facts('member.added');
    expect(found).toHaveLength(2);
    expect(found).toEqual(expect.arrayContaining(added(`${roomId}-b`, bob, carol)));

    await writer.sql('TRUNCATE facts');
    const direct = await alice.startsDirectWith(carol);
    await alice.startsDirectWith(carol);
    await carol.startsDirectWith(alice);
    expect(await facts('member.added')).toEqual(added(direct, carol));
  });

  it('member.left is for whoever ceases to be a member, however, once', async () => {
    const roomId = await newRoom();
    await alice.does('room:invite', { roomId, userId: carol.id });
    await alice.does('room:kick', { roomId, userId: carol.id });
    await alice.refused('room:kick', { roomId, userId: carol.id });
    await bob.does('room:leave', { roomId });
    await bob.refused('room:leave', { roomId });
    expect(await facts('member.left')).toEqual([carol, bob].map(({ id }) => ({ roomId, userId: id })));
  });

  it('a batch costs one statement for its facts, and none without them', async () => {
    const roomId = await newRoom();
    const { messageId } = await alice.sends(roomId, 'plain');
    await writer.sql('CREATE TABLE statements (n int GENERATED ALWAYS AS IDENTITY)');
    await writer.sql(
      `CREATE FUNCTION count_statement() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN INSERT INTO statements DEFAULT VALUES; RETURN NULL; END $$`,
    );
    await writer.sql(
      'CREATE TRIGGER count_statement AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION count_statement()',
    );
    const statements = async () =>
      (await writer.sql<{ n: number }>('SELECT count(*) AS n FROM statements'))[0]?.n;
    await alice.sends(roomId, 'plain too');
    expect(await statements()).toBe(0);
    // While the first is written the others wait, and are one batch.
    await Promise.all([
      writer.send(alice, { roomId, content: 'first', mentions: [bob.id] }),
      ...Array.from({ length: 50 }, () => writer.send(alice, { roomId, content: 'x', mentions: [bob.id] })),
    ]);
    await alice.does('message:delete', { messageId });
    expect(await facts('message.sent')).toHaveLength(51);
    expect(await facts('message.deleted')).toHaveLength(1);
    // The first one, those that came meanwhile, and the deletion.
    expect(await statements()).toBeLessThanOrEqual(4);
  });
});

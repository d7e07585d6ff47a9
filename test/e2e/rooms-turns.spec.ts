import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Actor } from '../harness/actor.js';
import { createTestDatabase, type TestDatabase } from '../harness/database.js';
import { TestServer } from '../harness/server.js';
import { onPostgres } from '../harness/writer-fixture.js';

/**
 * The lock of a room was waited for without limit, and each who waited kept a connection of the pool: twelve people
 * who joined one locked room made a message to any other room fail after ten seconds.
 */
(onPostgres() ? describe : describe.skip)('a room that somebody else keeps locked', () => {
  const PEOPLE = 12;
  let database: TestDatabase;
  let server: TestServer;
  let intruder: pg.Client;
  let alice: Actor;
  let people: Actor[];

  beforeAll(async () => {
    database = await createTestDatabase();
    server = await TestServer.start({}, database);
    intruder = new pg.Client({ connectionString: database.databaseUrl });
    await intruder.connect();
    [alice] = await server.actors('alice');
    people = await server.actors(...Array.from({ length: PEOPLE }, (_, index) => `person${String(index)}`));
    for (const roomId of ['stuck', 'brief', 'open'])
      await alice.does('room:create', { roomId, name: roomId, type: 'public' });
  });
  afterAll(async () => {
    await server.stop();
    await intruder.end();
    await database.drop();
  });

  async function locked<T>(roomId: string, work: () => Promise<T>): Promise<T> {
    await intruder.query('BEGIN');
    try {
      await intruder.query('SELECT FROM rooms WHERE id = $1 FOR UPDATE', [roomId]);
      return await work();
    } finally {
      await intruder.query('COMMIT');
    }
  }

  /** In the database, for a lock. */
  async function somebodyWaits(): Promise<void> {
    const asked = 'SELECT FROM pg_locks WHERE NOT granted';
    for (let tries = 0; (await intruder.query(asked)).rowCount === 0; tries++) {
      if (tries > 500) throw new Error('Nobody waits for the lock');
      await sleep(10);
    }
  }

  it('is refused in time to those who join it, and holds up nobody elsewhere', async () => {
    await locked('stuck', async () => {
      const joins = people.map((person) => person.refused('room:join', { roomId: 'stuck' }));
      let refused = 0;
      for (const join of joins) void join.then(() => (refused += 1));
      await somebodyWaits();
      await alice.sends('open', 'meanwhile');
      await alice.does('room:update', { roomId: 'open', topic: 'Meanwhile' });
      await alice.does('room:create', { name: 'Another', type: 'private' });
      expect(refused).toBe(0);
      for (const refusal of await Promise.all(joins))
        expect(refusal).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    });
    await people[0]!.does('room:join', { roomId: 'stuck' });
  });

  it('is theirs when it is free soon', async () => {
    const joins = await locked('brief', async () => {
      const waiting = people.map((person) => person.does('room:join', { roomId: 'brief' }));
      await somebodyWaits();
      return waiting;
    });
    await Promise.all(joins);
    expect(await alice.rest('GET', '/rooms/brief')).toMatchObject({
      body: { members: { count: PEOPLE + 1 } },
    });
  });

  /** Seeking the way into a closed room, a stranger waited for its lock, and kept its members from it. */
  it('is refused at once to a stranger when it is closed', async () => {
    await alice.does('room:create', { roomId: 'vault', name: 'Vault', type: 'private' });
    await locked('vault', async () => {
      expect(await people[0]!.refused('room:join', { roomId: 'vault' })).toMatchObject({ code: 'NOT_FOUND' });
    });
  });
});

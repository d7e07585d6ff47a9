import { setTimeout as pause } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { ADVISORY_LOCKS } from '../../src/platform/database/advisory-locks.js';
import type { Actor } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';
import { SentStatements, type SentStatement } from '../harness/statements.js';
import { onPostgres, WriterFixture } from '../harness/writer-fixture.js';

/** Any number no other lock has. */
const GATE = 4_242_424;

describe('rules and restrictions in the writer', () => {
  let server: TestServer;
  let database: DataSource;
  let writer: WriterFixture;
  let sent: SentStatements;
  let root: Actor, bob: Actor, carol: Actor;

  beforeAll(async () => {
    sent = new SentStatements();
    server = await TestServer.start();
    database = server.app.get(DataSource);
    writer = new WriterFixture(server);
    root = await server.administrator();
    [bob, carol] = await server.actors('bob', 'carol');
    await bob.does('room:create', { roomId: 'hall', name: 'Hall', type: 'public' });
  });
  afterAll(async () => {
    await server.stop();
    sent.end();
  });

  it('the rules are read once for each version, and never for who may not write', async () => {
    const reads = (work: () => Promise<unknown>) =>
      sent.during(work, /^SELECT .*"filter_rules"|restrictions|filter_rule_set/s);
    const names = (statements: SentStatement[]) => statements.map(({ name }) => name ?? 'the rules');
    const rule = { kind: 'word', pattern: 'nope', action: 'reject', reason: 'x' };
    await root.rest('POST', '/moderation/filters', rule);

    const stranger = await reads(() =>
      root.refused('message:send', { roomId: 'hall', content: 'not a member' }),
    );
    expect(names(stranger)).toEqual(['batch-rules']);
    const first = await reads(() => bob.sends('hall', 'first'));
    expect(names(first)).toEqual(['batch-rules', 'the rules']);
    const later = await reads(async () => {
      await bob.sends('hall', 'second');
      await bob.refused('message:send', { roomId: 'hall', content: 'nope' });
    });
    // Restrictions and the version together, once a batch; they cost no round trip: message-writer.statements.spec.
    expect(names(later)).toEqual(['batch-if-unchanged-11100', 'batch-rules']);
  });

  (onPostgres() ? it : it.skip).each([
    ['a ban everywhere', 'PUT', () => `/moderation/bans/${bob.id}`, { reason: 'x' }],
    [
      'a rule',
      'POST',
      () => '/moderation/filters',
      { kind: 'word', pattern: 'late', action: 'reject', reason: 'x' },
    ],
  ])(
    '%s waits for what is being written, and what comes then is refused',
    async (_what, method, path, body) => {
      const dropTrigger = await writer.trigger(
        `IF NEW.content = 'in time' THEN PERFORM pg_advisory_xact_lock(${String(GATE)}); END IF;`,
      );
      const gate = database.createQueryRunner();
      await gate.startTransaction();
      await gate.query('SELECT pg_advisory_xact_lock($1)', [GATE]);
      try {
        const answers: string[] = [];
        const inTime = bob.ack('message:send', { roomId: 'hall', content: 'in time' }).then(({ status }) => {
          answers.push(`sent: ${status}`);
        });
        await someoneWaitsFor(GATE);
        const act = root.rest(method, path(), body).then(({ status }) => {
          answers.push(`act: ${String(status < 300)}`);
        });
        await someoneWaitsFor(ADVISORY_LOCKS.moderation);
        const late = bob.ack('message:send', { roomId: 'hall', content: 'late' }).then(({ status }) => {
          answers.push(`late: ${status}`);
        });
        expect(answers).toEqual([]);
        await gate.commitTransaction();
        await Promise.all([inTime, act, late]);
        expect(answers.sort()).toEqual(['act: true', 'late: error', 'sent: ok']);
        expect((await writer.stored('hall')).filter(({ content }) => content === 'late')).toEqual([]);
      } finally {
        if (gate.isTransactionActive) await gate.rollbackTransaction();
        await gate.release();
        await dropTrigger();
        await root.rest('DELETE', `/moderation/bans/${bob.id}?reason=x`);
      }
    },
  );

  /** An act everywhere waited without limit for a writer that was stuck, and everybody who came to write, on any node, behind it. */
  (onPostgres() ? it : it.skip).each([
    ['a ban everywhere', 'PUT', () => `/moderation/bans/${carol.id}`, { reason: 'x' }],
    [
      'a rule',
      'POST',
      () => '/moderation/filters',
      { kind: 'word', pattern: 'patient', action: 'reject', reason: 'x' },
    ],
  ])(
    '%s that waits for a stuck writer stops nobody, and is done when that one is',
    async (_w, method, path, body) => {
      const stuck = database.createQueryRunner();
      await stuck.startTransaction();
      await stuck.query('SELECT pg_advisory_xact_lock_shared($1)', [ADVISORY_LOCKS.moderation]);
      try {
        let answered = false;
        const act = root.rest(method, path(), body).finally(() => (answered = true));
        await someoneWaitsFor(ADVISORY_LOCKS.moderation);
        for (let n = 0; n < 10; n++) await bob.sends('hall', `meanwhile ${String(n)}`);
        await bob.does('room:update', { roomId: 'hall', topic: 'meanwhile' });
        expect(answered).toBe(false);
        await stuck.rollbackTransaction();
        expect((await act).status).toBeLessThan(300);
      } finally {
        if (stuck.isTransactionActive) await stuck.rollbackTransaction();
        await stuck.release();
      }
    },
  );

  (onPostgres() ? it : it.skip)(
    'is given up with UNAVAILABLE when the writer stays stuck',
    async () => {
      const stuck = database.createQueryRunner();
      await stuck.startTransaction();
      await stuck.query('SELECT pg_advisory_xact_lock_shared($1)', [ADVISORY_LOCKS.moderation]);
      try {
        const act = root.rest('PUT', `/moderation/mutes/${carol.id}`, { reason: 'x' });
        expect(await act).toMatchObject({ status: 503, body: { code: 'UNAVAILABLE' } });
        await bob.sends('hall', 'and nobody waits');
      } finally {
        await stuck.rollbackTransaction();
        await stuck.release();
      }
      expect(
        await writer.sql(`SELECT FROM restrictions WHERE user_id = $1 AND kind = 'mute'`, [carol.id]),
      ).toEqual([]);
    },
    20_000,
  );

  /** A message that waited for its room was written after its author's account was closed. */
  (onPostgres() ? it : it.skip)(
    'what was queued before its author was suspended is not written',
    async () => {
      const [dave] = await server.actors('dave');
      await dave.does('room:join', { roomId: 'hall' });
      const keeper = database.createQueryRunner();
      await keeper.startTransaction();
      await keeper.query(`SELECT FROM rooms WHERE id = 'hall' FOR UPDATE`);
      try {
        const queued = writer.send(dave, { roomId: 'hall', content: 'from the grave' });
        const refused = expect(queued).rejects.toMatchObject({ code: 'SUSPENDED' });
        await root.rest('POST', `/admin/users/${dave.id}/suspend`, { reason: 'x' });
        await keeper.commitTransaction();
        await refused;
      } finally {
        if (keeper.isTransactionActive) await keeper.rollbackTransaction();
        await keeper.release();
      }
      expect((await writer.stored('hall')).filter(({ sender_id }) => sender_id === dave.id)).toEqual([]);
    },
  );

  async function someoneWaitsFor(lock: number): Promise<void> {
    const deadline = Date.now() + 8000;
    for (;;) {
      const waiting = await writer.sql(
        `SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
        [lock],
      );
      if (waiting.length > 0) return;
      if (Date.now() > deadline) throw new Error('Nobody waits');
      await pause(10);
    }
  }
});

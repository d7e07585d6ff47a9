import { DataSource } from 'typeorm';
import { ADVISORY_LOCKS } from '../../src/platform/database/advisory-locks.js';
import type { Actor } from '../harness/actor.js';
import { createTestDatabase, type TestDatabase } from '../harness/database.js';
import { Intruder } from '../harness/intruder.js';
import { TestServer } from '../harness/server.js';
import { onPostgres } from '../harness/writer-fixture.js';

const because = { reason: 'As the rules say' };
const MISSING = '01890000-0000-7000-8000-000000000000';

(onPostgres() ? describe : describe.skip)('administrators who act at once', () => {
  let database: TestDatabase;
  let server: TestServer;
  let intruder: Intruder;
  let root: Actor;
  let names = 0;
  beforeAll(async () => {
    database = await createTestDatabase();
    server = await TestServer.start({}, database);
    intruder = await Intruder.at(database);
    root = await server.administrator();
  });
  afterAll(async () => {
    await server.stop();
    await intruder.leave();
    await database.drop();
  });

  const deputy = () => server.administrator(`deputy-${String(++names)}`);
  const suspend = (by: Actor, { id }: Actor) => by.rest('POST', `/admin/users/${id}/suspend`, because);
  const disconnect = (by: Actor, { id }: Actor) => by.rest('POST', `/admin/users/${id}/disconnect`, because);
  const refusals = (answers: { status: number; body: unknown }[]) =>
    answers.filter(({ status }) => status >= 400).map(({ status, body }) => [status, body]);

  /** Disconnecting took the user and then their sessions, signing in took expired sessions and then the user: a deadlock. */
  it('disconnect somebody who is just signing in, with expired sign-ins to be tidied', async () => {
    const [victim] = await server.actors('victim');
    const credentials = { username: 'victim', password: 'correct horse battery' };
    for (let round = 0; round < 15; round++) {
      await server.app.get(DataSource).query(
        `INSERT INTO sessions (id, user_id, expires_at)
         SELECT gen_random_uuid()::text, $1, now() - interval '1 day' FROM generate_series(1, 20)`,
        [victim.id],
      );
      let signingIn = true;
      const logins = Promise.all([1, 2].map(() => server.post('/auth/login', credentials))).finally(
        () => (signingIn = false),
      );
      const disconnects = [1, 2, 3].map(async () => {
        const answers = [];
        while (signingIn) answers.push(await disconnect(root, victim));
        return answers;
      });
      expect(refusals([...(await logins), ...(await Promise.all(disconnects)).flat()])).toEqual([]);
    }
  });

  /** Each locks themselves, to stay an administrator, and the other: without an order, a deadlock. */
  it('disconnect each other', async () => {
    const [one, two] = [await deputy(), await deputy()];
    for (let round = 0; round < 10; round++) {
      const answers = await Promise.all([disconnect(one, two), disconnect(two, one), disconnect(one, one)]);
      for (const { status } of answers) expect([204, 401]).toContain(status);
      for (const actor of [one, two]) Object.assign(actor.session, await server.login(actor.user.username));
    }
  });

  /** Whoever was suspended while their own act waited in line behind it demoted a third one all the same. */
  it('do not act any more when an act before theirs suspended them', async () => {
    const [one, two] = [await deputy(), await deputy()];
    const [first, second] = await intruder.holds(
      'SELECT pg_advisory_xact_lock($1)',
      [ADVISORY_LOCKS.administrators],
      async () => {
        const suspending = suspend(root, one);
        await intruder.sees(1);
        const demoting = one.rest('PUT', `/admin/users/${two.id}/role`, { ...because, role: 'user' });
        await intruder.sees(2);
        return [suspending, demoting];
      },
    );
    expect(await first).toMatchObject({ status: 204 });
    expect(await second).toMatchObject({ status: 403, body: { code: 'SUSPENDED' } });
    expect(await two.rest('GET', '/admin/stats')).toMatchObject({ status: 200 });
  });

  describe('and one of whom is just losing the power to', () => {
    let actor: Actor;
    let owner: Actor;
    beforeAll(async () => {
      actor = await deputy();
      [owner] = await server.actors('owner');
      await owner.does('room:create', { roomId: 'hall', name: 'Hall', type: 'public' });
    });
    afterEach(() =>
      intruder.sql(`UPDATE users SET suspended_at = NULL, role = 'admin' WHERE id = $1`, [actor.id]),
    );

    const rule = { ...because, kind: 'word', pattern: 'late', action: 'reject' };
    const acts: [method: string, path: string, body: object | undefined][] = [
      ['POST', '/admin/users/OWNER/suspend', because],
      ['POST', '/admin/users/OWNER/resume', because],
      ['POST', '/admin/users/OWNER/disconnect', because],
      ['PUT', '/admin/users/OWNER/role', { ...because, role: 'admin' }],
      ['POST', `/admin/jobs/${MISSING}/retry`, because],
      ['POST', '/admin/outbox/1/retry', because],
      ['POST', '/admin/announcements', { ...because, title: 'Late', body: 'Too late' }],
      ['PUT', '/admin/rooms/hall/freeze', because],
      ['DELETE', '/admin/rooms/hall/freeze?reason=x', undefined],
      ['PUT', '/moderation/bans/OWNER', because],
      ['DELETE', '/moderation/bans/OWNER?reason=x', undefined],
      ['PUT', '/moderation/rooms/hall/mutes/OWNER', because],
      ['DELETE', '/moderation/rooms/hall/mutes/OWNER?reason=x', undefined],
      ['POST', '/moderation/filters', rule],
      ['DELETE', `/moderation/filters/${MISSING}?reason=x`, undefined],
    ];
    /** The role was asked at the door only: an act that got in before the change was done after it. */
    it.each(acts)('%s %s asks again', async (method, path, body) => {
      const losing = [
        ['suspended_at = now()', 'SUSPENDED'],
        [`role = 'user'`, 'FORBIDDEN'],
      ] as const;
      for (const [change, code] of losing) {
        const answer = await intruder.holds(
          `UPDATE users SET ${change} WHERE id = $1`,
          [actor.id],
          async () => {
            const asked = actor.rest(method, path.replace('OWNER', owner.id), body);
            await Promise.race([intruder.sees(1), asked]);
            return { asked };
          },
        );
        expect(await answer.asked).toMatchObject({ status: 403, body: { code } });
        await intruder.sql(`UPDATE users SET suspended_at = NULL WHERE id = $1`, [actor.id]);
      }
      const { body: log } = await root.rest('GET', `/audit-log?actorId=${actor.id}`);
      expect(log).toMatchObject({ data: [] });
    });
  });
});

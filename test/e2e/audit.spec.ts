import { DataSource } from 'typeorm';
import { AuditLog } from '../../src/audit/audit-log.service.js';
import type { AuditEntry } from '../../src/contract/admin.js';
import type { Page } from '../../src/contract/rest.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { runWithRequestId } from '../../src/platform/identity/request-context.js';
import { Publisher } from '../../src/platform/realtime/publisher.js';
import type { Actor } from '../harness/actor.js';
import { createTestDatabase, type TestDatabase } from '../harness/database.js';
import { Intruder } from '../harness/intruder.js';
import { TestServer } from '../harness/server.js';
import { identity, onPostgres } from '../harness/writer-fixture.js';

describe('the audit log', () => {
  let database: TestDatabase;
  let server: TestServer;
  let root: Actor;
  let alice: Actor;
  const sql = <Row>(statement: string, parameters: unknown[] = []) =>
    server.app.get(DataSource).query<Row[]>(statement, parameters);
  const write = (...[tx, actor, act]: Parameters<AuditLog['append']>) =>
    server.app.get(AuditLog, { strict: false }).append(tx, actor, act);
  const inOne = <T>(work: Parameters<UnitOfWork['run']>[0]) =>
    server.app.get(UnitOfWork).run(work) as Promise<T>;
  const suspend = (targetId: string, more: object = {}) =>
    inOne<AuditEntry>((tx) =>
      write(tx, identity(root), { act: 'user.suspend', target: { type: 'user', id: targetId }, ...more }),
    );

  async function page(query: Record<string, string> = {}): Promise<Page<AuditEntry>> {
    const { status, body } = await root.rest('GET', `/audit-log?${new URLSearchParams(query).toString()}`);
    expect(status).toBe(200);
    return body as Page<AuditEntry>;
  }

  /** The answer with its body as text. */
  const exported = (query: Record<string, string> = {}, actor = root) =>
    fetch(`${server.url}/api/v1/audit-log/export?${new URLSearchParams(query).toString()}`, {
      headers: { authorization: `Bearer ${actor.session.accessToken}` },
    });
  const entriesOf = (text: string) =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as AuditEntry);

  beforeAll(async () => {
    database = await createTestDatabase();
    server = await TestServer.start({}, database);
    root = await server.administrator();
    [alice] = await server.actors('alice');
  });
  // Its trigger is of no concern to TRUNCATE.
  beforeEach(() => sql('TRUNCATE audit_log'));
  afterAll(async () => {
    await server.stop();
    await database.drop();
  });

  it('shows who did what to what, why, and in which request', async () => {
    const act = {
      act: 'room.freeze',
      target: { type: 'room', id: 'hall' },
      roomId: 'hall',
      reason: 'It burns',
      before: { frozenAt: null },
      after: { frozenAt: '2030-01-31T12:00:00.000Z' },
    };
    const entry = await runWithRequestId('req-1', () =>
      inOne<AuditEntry>((tx) => write(tx, identity(root), act)),
    );
    expect(entry).toEqual({
      id: expect.any(String) as string,
      at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      actor: { id: root.id, name: root.user.name },
      requestId: 'req-1',
      ...act,
    });
    await inOne((tx) => write(tx, null, { act: 'user.resume', target: { type: 'user', id: 'bob' } }));
    const { data, hasMore } = await page();
    expect(hasMore).toBe(false);
    expect(data).toMatchObject([{ act: 'user.resume', actor: null }, entry]);
    expect(data[1]).toEqual(entry);
    expect(Object.keys(data[0]!).sort()).toEqual(['act', 'actor', 'at', 'id', 'target']);
  });

  it('is written with the act or not at all, tells administrators after the COMMIT only, and takes no secrets', async () => {
    const told = jest.spyOn(server.app.get(Publisher).admin, 'toAll');
    const failing = inOne(async (tx) => {
      await write(tx, identity(root), { act: 'user.suspend', target: { type: 'user', id: 'bob' } });
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    await expect(suspend('bob', { after: { profile: { passwordHash: 'x' } } })).rejects.toThrow('no secrets');
    await expect(suspend('bob', { before: { refreshToken: 'x' } })).rejects.toThrow('no secrets');
    expect((await page()).data).toEqual([]);
    expect(told).not.toHaveBeenCalled();
    const entry = await suspend('bob');
    expect(told.mock.calls).toEqual([['audit:appended', entry]]);
    told.mockRestore();
  });

  it('pages newest first, each entry once, while new ones come in', async () => {
    for (let n = 0; n < 7; n++) await suspend(`u${String(n)}`);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const { data, hasMore, ...rest } = await page({ limit: '3', ...(cursor !== undefined && { cursor }) });
      seen.push(...data.map(({ target }) => target.id));
      expect(hasMore).toBe(rest.cursor !== undefined);
      cursor = rest.cursor;
      if (seen.length === 3) await suspend('late');
    } while (cursor !== undefined);
    expect(seen).toEqual(['u6', 'u5', 'u4', 'u3', 'u2', 'u1', 'u0']);
  });

  it('pages over entries of the same millisecond', async () => {
    await sql(
      `INSERT INTO audit_log (id, at, act, target_type, target_id)
       SELECT gen_random_uuid(), '2030-01-31T12:00:00.123Z', 'user.suspend', 'user', n::text FROM generate_series(1, 25) n`,
    );
    const seen = new Set<string>();
    let cursor: string | undefined;
    do {
      const answer = await page({ limit: '10', ...(cursor !== undefined && { cursor }) });
      for (const { target } of answer.data) seen.add(target.id);
      ({ cursor } = answer);
    } while (cursor !== undefined);
    expect(seen.size).toBe(25);
  });

  it('filters by actor, act, target and time', async () => {
    await sql(
      `INSERT INTO audit_log (id, at, actor_id, actor_name, act, target_type, target_id) VALUES
         (gen_random_uuid(), '2030-01-01T00:00:00Z', 'a', 'A', 'user.suspend', 'user', 'x'),
         (gen_random_uuid(), '2030-01-02T00:00:00Z', 'a', 'A', 'user.resume', 'user', 'y'),
         (gen_random_uuid(), '2030-01-03T00:00:00Z', 'b', 'B', 'user.suspend', 'user', 'z')`,
    );
    const found = async (query: Record<string, string>) =>
      (await page(query)).data.map(({ target }) => target.id).join('');
    expect(await found({ actorId: 'a' })).toBe('yx');
    expect(await found({ act: 'user.suspend' })).toBe('zx');
    expect(await found({ targetId: 'y' })).toBe('y');
    expect(await found({ actorId: 'a', act: 'user.suspend' })).toBe('x');
    expect(await found({ since: '2030-01-02T00:00:00Z' })).toBe('zy');
    expect(await found({ until: '2030-01-02T00:00:00Z' })).toBe('x');
    expect(await found({ since: '2030-01-02T00:00:00.000Z', until: '2030-01-03T00:00:00.000Z' })).toBe('y');
    expect(await found({ actorId: 'nobody' })).toBe('');
  });

  it('is for administrators only', async () => {
    for (const path of ['/audit-log', '/audit-log/export']) {
      expect(await alice.rest('GET', path)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
      expect((await fetch(`${server.url}/api/v1${path}`)).status).toBe(401);
    }
    expect((await page()).data).toEqual([]);
  });

  it.each([
    ['cursor', 'zq9'],
    ['cursor', Buffer.from('1 x').toString('base64url')],
    ['limit', '0'],
    ['limit', '101'],
    ['since', 'yesterday'],
    ['since', '2030-02-30T00:00:00Z'],
    ['until', '0000-01-01T00:00:00Z'],
    ['until', '2030-01-01T00:00:00+02:00'],
    ['act', ''],
    ['targetId', 'x'.repeat(129)],
  ])('refuses a wrong %s (%#)', async (name, value) => {
    const query = new URLSearchParams({ [name]: value }).toString();
    expect(await root.rest('GET', `/audit-log?${query}`)).toMatchObject({
      status: 400,
      body: { code: 'VALIDATION_FAILED', details: [{ path: name }] },
    });
  });

  it('cannot be changed, not even by its own server', async () => {
    await suspend('bob');
    for (const statement of [
      `UPDATE audit_log SET reason = 'another'`,
      'DELETE FROM audit_log',
      `DELETE FROM audit_log WHERE act = 'no such act'`,
    ])
      await expect(sql(statement)).rejects.toThrow('audit_log is append-only');
    expect((await page()).data).toMatchObject([{ target: { id: 'bob' } }]);
  });

  describe('its export', () => {
    it('is every entry, oldest first, over several pages; its own entry is the last', async () => {
      await sql(
        `INSERT INTO audit_log (id, at, act, target_type, target_id)
         SELECT gen_random_uuid(), '2020-01-31T12:00:00Z'::timestamptz + n / 3 * interval '1 ms', 'user.suspend', 'user', n::text
           FROM generate_series(1, 1201) n`,
      );
      const answer = await exported();
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
      const entries = entriesOf(await answer.text());
      expect(new Set(entries.map(({ id }) => id)).size).toBe(1202);
      const times = entries.map(({ at }) => at);
      expect(times).toEqual([...times].sort());
      expect(entries.at(-1)).toMatchObject({
        act: 'audit.export',
        actor: { id: root.id, name: root.user.name },
        requestId: answer.headers.get('x-request-id'),
      });
      const { data } = await page({ limit: '1' });
      expect(data).toEqual([entries.at(-1)]);
    });

    /** An act takes its time before it commits: an export in between ended behind it without it, and so did the next one, `since` that end. */
    (onPostgres() ? it : it.skip)(
      'waits for acts that are not committed, and lacks nothing before its end',
      async () => {
        const { act, release } = await unfinished('slow');
        const intruder = await Intruder.at(database);
        const first = exported();
        await Promise.race([intruder.sees(1), first]);
        // An export that waits keeps others waiting briefly only.
        await suspend('meanwhile');
        release();
        await act;
        const targets = async (answer: Response) =>
          entriesOf(await answer.text()).map(({ target }) => target.id);
        expect(await targets(await first)).toEqual(['slow', 'meanwhile', 'all']);
        const [last] = (await page({ limit: '1' })).data;
        await suspend('later');
        expect(await targets(await exported({ since: last!.at }))).toEqual(['all', 'later', 'all']);
        await intruder.leave();
      },
    );

    (onPostgres() ? it : it.skip)(
      'is refused for a while when an act does not end',
      async () => {
        const { act, release } = await unfinished('stuck');
        const answer = await exported();
        expect([answer.status, await answer.json()]).toMatchObject([503, { code: 'UNAVAILABLE' }]);
        release();
        await act;
        expect((await page()).data).toMatchObject([{ target: { id: 'stuck' } }]);
      },
      15_000,
    );

    /** An act with its entry, before the COMMIT. */
    async function unfinished(targetId: string) {
      let release = (): void => undefined;
      const gate = new Promise<void>((resolve) => (release = resolve));
      let written = (): void => undefined;
      const inside = new Promise<void>((resolve) => (written = resolve));
      const act = inOne(async (tx) => {
        await write(tx, null, { act: 'user.suspend', target: { type: 'user', id: targetId } });
        written();
        await gate;
      });
      await inside;
      return { act, release };
    }

    it('takes a time from and a time to, and writes them down', async () => {
      await sql(
        `INSERT INTO audit_log (id, at, act, target_type, target_id)
         SELECT gen_random_uuid(), make_timestamptz(2020, 1, n, 0, 0, 0), 'user.suspend', 'user', n::text FROM generate_series(1, 9) n`,
      );
      const period = { since: '2020-01-03T00:00:00Z', until: '2020-01-05T00:00:00Z' };
      const entries = entriesOf(await (await exported(period)).text());
      expect(entries.map(({ target }) => target.id)).toEqual(['3', '4']);
      expect((await page()).data[0]).toMatchObject({ act: 'audit.export', after: period });
    });

    it('refuses what is no time, as a problem and without an entry', async () => {
      const answer = await exported({ since: 'yesterday' });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        400,
        expect.stringContaining('application/problem+json'),
      ]);
      expect((await page()).data).toEqual([]);
    });
  });
});

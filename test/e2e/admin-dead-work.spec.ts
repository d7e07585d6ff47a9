import { DataSource } from 'typeorm';
import type { AuditEntry } from '../../src/contract/admin.js';
import type { Actor } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';

const because = { reason: 'The mail server is back' };

interface Dead {
  data: { id: string | number; error: string }[];
  cursor?: string;
  hasMore: boolean;
}

describe('work in the background that was given up', () => {
  let server: TestServer;
  let root: Actor;
  const sql = <Row>(statement: string, parameters: unknown[] = []) =>
    server.app.get(DataSource).query<Row[]>(statement, parameters);
  const list = async (path: string) => (await root.rest('GET', path)).body as Dead;
  const entriesOn = async (targetId: string) =>
    ((await root.rest('GET', `/audit-log?targetId=${targetId}`)).body as { data: AuditEntry[] }).data;

  beforeAll(async () => {
    server = await TestServer.start();
    root = await server.administrator();
    // Opens the queues.
    expect(await list('/admin/jobs')).toEqual({ data: [], hasMore: false });
  });
  afterAll(() => server.stop());

  it('dead jobs are shown by page, newest first, and one gets its attempts back', async () => {
    // Of a queue this instance has no handler for: nobody does it while we look.
    await sql(`SELECT pgboss.create_queue('forgotten', '{"policy": "short", "retryLimit": 3}')`);
    await sql(
      `INSERT INTO pgboss.job (id, name, data, state, retry_count, retry_limit, policy, singleton_key, completed_on, output)
       SELECT u.id::uuid, 'forgotten', '{"userId": "u"}', 'failed', 3, 3, 'short', u.id, now(), '{"message": "No route"}'
         FROM (SELECT '01890000-0000-7000-8000-' || lpad(n::text, 12, '0') AS id FROM generate_series(1, 60) n) u`,
    );
    const first = await list('/admin/jobs?queue=forgotten');
    expect(first.data).toHaveLength(50);
    expect(first.data[0]).toMatchObject({
      id: '01890000-0000-7000-8000-000000000060',
      queue: 'forgotten',
      data: { userId: 'u' },
      attempts: 4,
      error: 'No route',
    });
    const second = await list(`/admin/jobs?queue=forgotten&cursor=${String(first.cursor)}`);
    expect(second.data).toHaveLength(10);
    expect(second).toMatchObject({ hasMore: false });
    expect(await list('/admin/jobs?queue=another')).toMatchObject({ data: [] });

    const id = '01890000-0000-7000-8000-000000000060';
    expect(await root.rest('POST', `/admin/jobs/${id}/retry`, because)).toMatchObject({ status: 204 });
    expect((await list('/admin/jobs?queue=forgotten')).data[0]?.id).not.toBe(id);
    expect(await sql(`SELECT state::text, retry_count FROM pgboss.job WHERE id = $1`, [id])).toEqual([
      { state: 'retry', retry_count: 0 },
    ]);
    expect(await root.rest('POST', `/admin/jobs/${id}/retry`, because)).toMatchObject({ status: 404 });
    expect(await entriesOn(id)).toMatchObject([{ act: 'job.retry', ...because, actor: { id: root.id } }]);
  });

  it('dead facts are shown oldest first, and one gets its attempts back', async () => {
    const rows = await sql<{ id: number }>(
      `INSERT INTO outbox (topic, payload, attempts, dead_at, error)
       SELECT 'nobody.listens', '{"roomId": "hall"}', 10, now(), 'Error: no' FROM generate_series(1, 120) RETURNING id`,
    );
    const first = await list('/admin/outbox');
    expect(first.data).toHaveLength(100);
    expect(first.data[0]).toMatchObject({
      id: rows[0]?.id,
      topic: 'nobody.listens',
      payload: { roomId: 'hall' },
      attempts: 10,
      error: 'Error: no',
    });
    expect((await list(`/admin/outbox?cursor=${String(first.cursor)}`)).data).toHaveLength(20);

    const id = String(rows[0]?.id);
    expect(await root.rest('POST', `/admin/outbox/${id}/retry`, because)).toMatchObject({ status: 204 });
    expect(await sql(`SELECT dead_at, attempts FROM outbox WHERE id = $1`, [id])).toEqual([
      { dead_at: null, attempts: 0 },
    ]);
    expect(await root.rest('POST', `/admin/outbox/${id}/retry`, because)).toMatchObject({ status: 404 });
    expect(await entriesOn(id)).toMatchObject([{ act: 'outbox.retry', ...because }]);
    expect((await root.rest('GET', '/admin/stats')).body).toMatchObject({ queued: { outbox: 1, jobs: 1 } });
  });
});

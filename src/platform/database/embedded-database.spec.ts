import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { EmbeddedDatabase, EmbeddedDatabaseFailure } from './embedded-database.js';

// initdb alone takes seconds on a busy machine.
jest.setTimeout(60_000);

const MEGABYTE = 1_048_576;
const poolOf = (database: EmbeddedDatabase): pg.Pool =>
  new pg.Pool({
    max: 1,
    ssl: false,
    user: 'postgres',
    database: 'postgres',
    idleTimeoutMillis: 0,
    stream: () => database.stream(),
  });

describe('EmbeddedDatabase, through the stock pg driver', () => {
  let database: EmbeddedDatabase;
  let pool: pg.Pool;

  beforeAll(async () => {
    database = await EmbeddedDatabase.open('memory://');
    pool = poolOf(database);
    await pool.query('CREATE TABLE things (id int PRIMARY KEY, data jsonb, tags text[], at timestamptz)');
  });
  afterAll(async () => {
    await pool.end();
    await database.close();
  });
  afterEach(() => pool.query('DELETE FROM things'));

  it('returns the types Postgres returns', async () => {
    const at = new Date('2026-01-02T03:04:05.678Z');
    await pool.query('INSERT INTO things VALUES ($1, $2, $3, $4)', [1, { a: [1, 'ü'] }, ['x', 'y "z"'], at]);
    const { rows, command, rowCount } = await pool.query(
      'SELECT *, 5::int8 AS big, NULL AS nothing FROM things WHERE id = ANY($1)',
      [[1, 2]],
    );
    expect(rows).toEqual([
      { id: 1, data: { a: [1, 'ü'] }, tags: ['x', 'y "z"'], at, big: '5', nothing: null },
    ]);
    expect([command, rowCount]).toEqual(['SELECT', 1]);
    expect((await pool.query('UPDATE things SET id = 2')).rowCount).toBe(1);
  });

  it('keeps time in UTC', async () => {
    expect((await pool.query('SHOW TimeZone')).rows).toEqual([
      { TimeZone: expect.stringMatching(/^(UTC|GMT|Etc\/UTC)$/) as string },
    ]);
  });

  it('reports SQLSTATE and constraint', async () => {
    await pool.query('INSERT INTO things (id) VALUES (1)');
    await expect(pool.query('INSERT INTO things (id) VALUES ($1)', [1])).rejects.toMatchObject({
      code: '23505',
      constraint: 'things_pkey',
    });
    await expect(pool.query('SELEC')).rejects.toMatchObject({ code: '42601' });
    await expect(pool.query('SELECT * FROM things WHERE id = $1', ['x'])).rejects.toMatchObject({
      code: '22P02',
    });
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('keeps named statements through errors and broken transactions', async () => {
    // A client of its own: `pool.query` gives up the connection after an error.
    const client = await pool.connect();
    const byId = (id: unknown) =>
      client.query({ name: 'by-id', text: 'SELECT id FROM things WHERE id = $1', values: [id] });
    await client.query('INSERT INTO things (id) VALUES (7)');
    expect((await byId(7)).rows).toEqual([{ id: 7 }]);
    await expect(byId('no number')).rejects.toMatchObject({ code: '22P02' });
    await client.query('BEGIN');
    await expect(client.query('SELECT 1/0')).rejects.toMatchObject({ code: '22012' });
    await expect(byId(7)).rejects.toMatchObject({ code: '25P02' });
    await client.query('ROLLBACK');
    expect((await byId(7)).rows).toEqual([{ id: 7 }]);
    client.release();
  });

  it('starts a connection clean when the one before died inside a transaction', async () => {
    const client = await pool.connect();
    await client.query({ name: 'left-behind', text: 'SELECT 1' });
    await client.query("SET application_name = 'left behind'");
    await client.query('BEGIN');
    await client.query('INSERT INTO things (id) VALUES (9)');
    client.release(true);
    expect(
      (await pool.query({ name: 'left-behind', text: 'SELECT count(*)::int AS n FROM things' })).rows,
    ).toEqual([{ n: 0 }]);
    expect((await pool.query('SHOW application_name')).rows).not.toEqual([
      { application_name: 'left behind' },
    ]);
  });

  it('carries values and results of several megabytes', async () => {
    const text = 'ä'.repeat(3 * MEGABYTE);
    const { rows } = await pool.query<{ text: string }>('SELECT $1::text AS text', [text]);
    expect(rows[0]?.text === text).toBe(true);
    const many = await pool.query<{ i: number; pad: string }>(
      "SELECT i, repeat('x', 100) AS pad FROM generate_series(1, 50000) i",
    );
    expect(many.rows).toHaveLength(50_000);
    expect(many.rows.at(-1)?.i).toBe(50_000);
  });

  it('serves concurrent users of the pool in order', async () => {
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const client = await pool.connect();
        await client.query('BEGIN');
        await client.query('INSERT INTO things (id) VALUES ($1)', [i]);
        await client.query('COMMIT');
        order.push(i);
        client.release();
      }),
    );
    expect(order).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  it('admits a second pool when the first is closed', async () => {
    const first = poolOf(database);
    const second = poolOf(database);
    await pool.end();
    await first.query('SELECT 1');
    let answered = false;
    const waiting = second.query('SELECT 2 AS two').then(({ rows }) => {
      answered = true;
      return rows;
    });
    await first.query('SELECT 1');
    expect(answered).toBe(false);
    await first.end();
    expect(await waiting).toEqual([{ two: 2 }]);
    await second.end();
    pool = poolOf(database);
  });

  it('refuses what it cannot do instead of hanging', async () => {
    await expect(pool.query({ text: 'SELECT 1', rows: 1, values: [] } as pg.QueryConfig)).rejects.toThrow(
      'no cursors',
    );
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });
});

describe('EmbeddedDatabase, when its thread ends', () => {
  it('fails queries in flight, idle connections and new ones', async () => {
    const database = await EmbeddedDatabase.open('memory://');
    const pool = poolOf(database);
    const idleErrors: Error[] = [];
    pool.on('error', (error) => idleErrors.push(error));
    await pool.query('SELECT 1');
    const inFlight = pool.query('SELECT pg_sleep(5)');
    database.fail(new Error('gone'));
    await expect(inFlight).rejects.toThrow(EmbeddedDatabaseFailure);
    await expect(pool.query('SELECT 1')).rejects.toThrow('stopped: gone');
    await pool.end();
    await database.close();
  });

  it('says which directory cannot be opened', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'parley-broken-'));
    const pgdata = join(directory, 'pgdata');
    await mkdir(pgdata);
    await writeFile(join(pgdata, 'PG_VERSION'), 'no version');
    await expect(EmbeddedDatabase.open(pgdata)).rejects.toThrow(`The embedded database in ${pgdata} stopped`);
    await rm(directory, { recursive: true });
  });
});

describe('EmbeddedDatabase, in a directory', () => {
  it('is made anew where the first start was killed, and keeps what was committed', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'parley-kept-'));
    const pgdata = join(directory, 'pgdata');
    await mkdir(`${pgdata}.new`);
    await writeFile(join(`${pgdata}.new`, 'PG_VERSION'), '18');
    const query = async (sql: string, killed: boolean) => {
      const database = await EmbeddedDatabase.open(pgdata);
      const pool = poolOf(database);
      pool.on('error', () => undefined);
      const { rows } = await pool.query<Record<string, unknown>>(sql);
      if (killed) database.fail(new Error('killed'));
      await pool.end();
      await database.close();
      return rows;
    };
    await query('CREATE TABLE kept AS SELECT 42 AS answer', true);
    expect(await query('SELECT * FROM kept', false)).toEqual([{ answer: 42 }]);
    await rm(directory, { recursive: true });
  });
});

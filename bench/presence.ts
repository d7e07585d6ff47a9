/**
 * What presence costs: `npm run bench:presence`. The server runs in this process on a throw-away embedded database, or
 * on the empty one of `DATABASE_URL`; the clients run in a process of their own, as plain WebSockets.
 *
 * 1. Somebody comes online, watched by 1,000 sockets: how long until the first and the last of them knows.
 * 2. 10,000 users are online and idle: statements of the database, CPU and memory of the server.
 * 3. The first once more, with these 10,000 online: it depends on who watches, not on who is there.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { JwtService } from '@nestjs/jwt';
import { DataSource } from 'typeorm';
import { createApp } from '../src/app.js';
import { loadConfig } from '../src/platform/config/config.js';
import type { Answer, Order } from './presence-clients.js';

const WATCHERS = 1000;
const IDLE = 10_000;
const ROUNDS = 10;
const IDLE_MS = 30_000;
const OFFLINE_MS = 1000;
/** For one order to the clients. */
const PATIENCE_MS = 300_000;
const SECRET = 'a secret for measuring that is long enough';

const clients = fork(fileURLToPath(new URL('./presence-clients.js', import.meta.url)), {
  // Of the clients only the numbers count; their memory is not measured.
  execArgv: ['--max-old-space-size=2048'],
});
const directory = await mkdtemp(join(tmpdir(), 'parley-bench-'));
const config = loadConfig({
  DATABASE_URL: process.env['DATABASE_URL'],
  DATA_DIR: directory,
  HOST: '127.0.0.1',
  JWT_SECRET: SECRET,
  LOG_LEVEL: 'error',
  LOG_FORMAT: 'json',
  PRESENCE_OFFLINE_MS: String(OFFLINE_MS),
  // Nobody is to become away meanwhile.
  PRESENCE_AWAY_MS: '3600000',
});
const app = await createApp(config);
try {
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as { port: number };
  await measure(port);
} finally {
  clients.kill();
  await app.close();
  await rm(directory, { recursive: true, force: true });
}

async function measure(port: number): Promise<void> {
  const database = app.get(DataSource);
  await createPeople(database);
  const statements = countStatements(database);
  await ask({ does: 'start', url: `ws://127.0.0.1:${String(port)}` });
  await ask({ does: 'connect', tokens: tokens('watcher', WATCHERS), watch: ['star'] });
  const alone = await rounds();
  const before = { ...statements };
  const began = performance.now();
  await ask({ does: 'connect', tokens: tokens('idle', IDLE) });
  const connectedIn = (performance.now() - began) / 1000;
  const coming = { reads: statements.reads - before.reads, writes: statements.writes - before.writes };
  await pause(2000);
  const idle = await idling(statements);
  await assertAllThere();
  const crowded = await rounds();
  const leaving = { ...statements };
  await ask({ does: 'leave' });
  await allOffline(database);
  const written = statements.writes - leaving.writes;
  const perUser = (count: number) => (count / IDLE).toFixed(2);
  console.log(
    [
      '',
      `Presence on ${config.database.kind}, ${String(availableParallelism())} cores, Node ${process.version}`,
      '',
      row('measured', 'result'),
      row('---', '---'),
      row(`online, seen by ${String(WATCHERS)} watchers: first, p50, last`, times(alone)),
      row(`the same with ${String(IDLE)} more users online`, times(crowded)),
      row(`${String(IDLE)} users come online`, `${connectedIn.toFixed(1)} s`),
      row('- reads per user, handshake included', perUser(coming.reads)),
      row('- writes', String(coming.writes)),
      row(`idle for ${String(IDLE_MS / 1000)} s: statements, of these writes`, idle.statements),
      row('- CPU of the server', idle.cpu),
      row('- memory of the server (RSS)', idle.memory),
      row(`${String(IDLE)} users go offline: writes`, String(written)),
      '',
    ].join('\n'),
  );
}

async function idling(statements: Statements) {
  const before = { ...statements };
  const cpu = process.cpuUsage();
  await pause(IDLE_MS);
  const { user, system } = process.cpuUsage(cpu);
  const reads = statements.reads - before.reads;
  const writes = statements.writes - before.writes;
  if (writes > 0) throw new Error(`${String(writes)} writes while nobody does anything`);
  return {
    statements: `${String(reads + writes)}, ${String(writes)}`,
    cpu: `${((user + system) / 10 / IDLE_MS).toFixed(1)} % of a core`,
    memory: `${String(Math.round(process.memoryUsage().rss / 2 ** 20))} MB`,
  };
}

/** Who was measured as idle was there all the time. */
async function assertAllThere(): Promise<void> {
  const { open = 0 } = await ask({ does: 'count' });
  if (open !== WATCHERS + IDLE) throw new Error(`${String(open)} sockets are left`);
}

/** Each of those who were idle has been told as offline: when they were last seen is stored before. */
async function allOffline(database: DataSource): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const [{ count }] = await database.query<[{ count: number }]>(
      `SELECT count(*)::int AS count FROM presence_settings WHERE user_id LIKE 'idle-%' AND last_seen_at IS NOT NULL`,
    );
    if (count === IDLE) return;
    if (performance.now() > deadline) throw new Error(`${String(count)} of ${String(IDLE)} are offline`);
    await pause(200);
  }
}

/** Ms from the opening of the star's socket until the watchers know, of each round. */
async function rounds(): Promise<number[][]> {
  const all: number[][] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const { delays = [] } = await ask({
      does: 'shine',
      token: tokens('star', 1)[0] as string,
      watchers: WATCHERS,
    });
    all.push(delays.sort((a, b) => a - b));
    // Offline again, and the frame of that has been sent.
    await pause(OFFLINE_MS + 1500);
  }
  return all;
}

function times(all: number[][]): string {
  const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
  const at = (share: number) =>
    median(all.map((delays) => delays[Math.floor((delays.length - 1) * share)] ?? NaN));
  return `${[0, 0.5, 1].map((share) => at(share).toFixed(1)).join(', ')} ms`;
}

function row(...cells: string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** The star shares a room with each watcher; those who are idle are alone. */
async function createPeople(database: DataSource): Promise<void> {
  const people = (kind: string, count: number) =>
    database.query(
      `INSERT INTO users (id, username, username_key, name, role)
       SELECT id, id, id, id, 'user' FROM (SELECT $1 || CASE WHEN $2 > 1 THEN '-' || n ELSE '' END AS id
         FROM generate_series(1, $2::int) n) ids`,
      [kind, count],
    );
  await people('star', 1);
  await people('watcher', WATCHERS);
  await people('idle', IDLE);
  // As many as a room may have for its people to see each other, but one.
  await database.query(
    `INSERT INTO rooms (id, type, name, member_count) VALUES ('stage', 'public', 'Stage', 1000)`,
  );
  await database.query(
    `INSERT INTO room_members (room_id, user_id, role)
     SELECT 'stage', id, 'member' FROM users WHERE id = 'star' OR id LIKE 'watcher-%'`,
  );
}

function tokens(kind: string, count: number): string[] {
  const jwt = new JwtService({ secret: SECRET });
  const now = Math.floor(Date.now() / 1000);
  return Array.from({ length: count }, (_, index) => {
    const sub = count === 1 ? kind : `${kind}-${String(index + 1)}`;
    return jwt.sign({ sub, iss: 'parley', aud: 'parley', iat: now, exp: now + 3600 }, { algorithm: 'HS256' });
  });
}

interface Statements {
  reads: number;
  writes: number;
}

/** Everything that reaches the database passes a query runner. Beginning and end of transactions do not count. */
function countStatements(database: DataSource): Statements {
  const statements = { reads: 0, writes: 0 };
  const create = database.createQueryRunner.bind(database);
  database.createQueryRunner = (...args) => {
    const runner = create(...args);
    const query = runner.query.bind(runner) as (...query: unknown[]) => Promise<unknown>;
    runner.query = ((...given: unknown[]) => {
      const sql = String(given[0]).trimStart();
      if (/^(INSERT|UPDATE|DELETE|WITH\b.*\b(INSERT INTO|(?<!FOR |KEY )UPDATE|DELETE FROM)\b)/is.test(sql))
        statements.writes += 1;
      else if (!/^(START|BEGIN|COMMIT|ROLLBACK|SET)/i.test(sql)) statements.reads += 1;
      return query(...given);
    }) as typeof runner.query;
    return runner;
  };
  return statements;
}

function ask(order: Order): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (problem: string) => reject(new Error(`The clients did not ${order.does}: ${problem}`));
    const timer = setTimeout(() => fail('it takes too long'), PATIENCE_MS);
    const child: ChildProcess = clients;
    child.once('exit', () => fail('they ended'));
    child.once('message', (answer: Answer) => {
      clearTimeout(timer);
      child.removeAllListeners('exit');
      if (answer.problem === undefined) resolve(answer);
      else fail(answer.problem);
    });
    child.send(order);
  });
}

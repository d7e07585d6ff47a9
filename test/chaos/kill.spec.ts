import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AuthSession } from '../../src/contract/rest.js';
import type { Message, Room } from '../../src/contract/views.js';
import { request } from '../harness/actor.js';
import { createTestDatabase, type TestDatabase } from '../harness/database.js';
import { DatabaseProxy } from '../harness/database-proxy.js';
import { onPostgres } from '../harness/writer-fixture.js';
import { ChaosClient } from './chaos-client.js';
import { check } from './checker.js';
import { History, type FinalRoom } from './history.js';
import { Random } from './random.js';
import { ServerProcess } from './server-process.js';

const ROOT = join(__dirname, '../..');
const ROOMS = ['red', 'green', 'blue', 'black', 'white'];
const SENDERS = 20;
/** Of one sender, without an answer. */
const IN_FLIGHT = 4;

/** `CHAOS_SEED=...` repeats the choices of a run; the moments at which the machine hits them stay its own. */
const seed = Number(process.env['CHAOS_SEED'] ?? Date.now() % 1_000_000);

const ENVIRONMENT = {
  JWT_SECRET: 'a secret for tests that is long enough to be one',
  LOG_LEVEL: 'warn',
  LOG_FORMAT: 'json',
  SENDS_LIMIT: '1000000',
  COMMANDS_LIMIT: '1000000',
  LOGINS_LIMIT: '100000',
  FAILED_HANDSHAKES_LIMIT: '100000',
};

describe('a server that is killed in the middle of it all', () => {
  const directories: string[] = [];
  let database: TestDatabase | undefined;
  let server: ServerProcess | undefined;
  let proxy: DatabaseProxy | undefined;
  let clients: ChaosClient[] = [];
  const allReady = () => Promise.all(clients.map((client) => client.whenReady()));

  beforeAll(() => {
    execFileSync(process.execPath, ['scripts/build-if-needed.mjs'], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }, 120_000);
  afterEach(async () => {
    for (const client of clients) client.end();
    clients = [];
    await server?.kill();
    await proxy?.stop();
    await database?.drop();
    database = undefined;
    for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
  });

  (onPostgres() ? it : it.skip)(
    'loses, doubles and reorders nothing on Postgres',
    async () => {
      database = await createTestDatabase();
      proxy = await DatabaseProxy.before(database.databaseUrl!);
      const { deduplicated } = await run({ DATABASE_URL: proxy.url }, [
        (random) => sleep(random.between(800, 2000)),
        // Between COMMIT and acknowledgement: what is sent again is there already.
        () => proxy!.breakNextCommit('mute-answer'),
        () => proxy!.breakNextCommit('mute-commit'),
      ]);
      expect(deduplicated).toBeGreaterThan(0);
    },
    60_000,
  );

  it('loses, doubles and reorders nothing on the embedded database', async () => {
    await run(
      {},
      Array.from({ length: 10 }, () => (random) => sleep(random.between(200, 1000))),
    );
  }, 240_000);

  /** `moments` say when to kill, each in a new life of the server. */
  async function run(
    environment: Record<string, string>,
    moments: ((random: Random) => Promise<void>)[],
  ): Promise<{ deduplicated: number }> {
    const directory = await mkdtemp(join(tmpdir(), 'parley-chaos-'));
    directories.push(directory);
    const random = new Random(seed);
    const history = new History();
    server = await ServerProcess.create(
      { ...ENVIRONMENT, DATA_DIR: join(directory, 'data'), ...environment },
      directory,
    );
    const firstStart = await server.start();
    const restarts: number[] = [];
    const sessions = await register(server.url);
    clients = sessions.map(
      (session) => new ChaosClient(session.user.username, server!.url, session, history),
    );
    try {
      for (const client of clients) client.connect();
      await allReady();
      await Promise.all(
        clients.map((client, index) => Promise.all(roomsOf(index).map((room) => client.join(room, room)))),
      );
      let running = true;
      const talking = Promise.all(
        clients.map((client, index) => talk(client, roomsOf(index), new Random(seed + index), () => running)),
      );
      for (const moment of moments) {
        await allReady();
        await sleep(random.between(200, 400));
        await moment(random);
        await server.kill();
        restarts.push(await server.start());
      }
      await allReady();
      running = false;
      await talking;
      // Everything that was sent must be written before anybody is asked whether they have everything.
      for (const client of clients) await client.settle();
      for (const client of clients) await client.settle();
      const rooms = await Promise.all(
        ROOMS.map((roomId, index) => finalRoom(server!.url, sessions[index]!, roomId)),
      );
      const deduplicated = history.entries.filter(
        (entry) => entry.kind === 'ok' && entry.deduplicated,
      ).length;
      process.stdout.write(
        `chaos: seed ${seed}, ${moments.length} kills, ${history.count('ok')} acknowledged, ${history.count('info')} in doubt, ${deduplicated} of them written; ` +
          `first start ${Math.round(firstStart)} ms, restarts ${restarts.map(Math.round).join(' ')} ms\n`,
      );
      expect(check(history.entries, rooms)).toEqual([]);
      // A run in which nothing was written, or nothing was in doubt, would show nothing.
      expect(history.count('ok')).toBeGreaterThan(20 * moments.length);
      expect(history.count('info')).toBeGreaterThan(moments.length);
      return { deduplicated };
    } catch (error) {
      const file = join(tmpdir(), `parley-chaos-history-${String(seed)}.jsonl`);
      history.writeTo(file);
      process.stderr.write(
        `chaos: failed with CHAOS_SEED=${seed}; history in ${file}; the server said:\n${server.log()}\n`,
      );
      throw error;
    }
  }
});

const roomsOf = (index: number): string[] => [
  ROOMS[index % ROOMS.length]!,
  ROOMS[(index + 1) % ROOMS.length]!,
];

async function register(url: string): Promise<AuthSession[]> {
  const sessions: AuthSession[] = [];
  for (let index = 0; index < SENDERS; index++) {
    const username = `sender${String(index)}`;
    const { status, body } = await request(url, 'POST', '/auth/register', {
      username,
      password: 'correct horse battery',
      name: username,
    });
    if (status !== 201) throw new Error(`Could not register: ${String(status)} ${JSON.stringify(body)}`);
    sessions.push(body as AuthSession);
  }
  return sessions;
}

async function talk(
  client: ChaosClient,
  rooms: string[],
  random: Random,
  goesOn: () => boolean,
): Promise<void> {
  while (goesOn()) {
    if (client.waiting < IN_FLIGHT) client.send(random.of(rooms));
    await sleep(random.between(5, 80));
  }
}

/** As an operator would read it: over REST, page by page. */
async function finalRoom(url: string, session: AuthSession, roomId: string): Promise<FinalRoom> {
  const headers = { authorization: `Bearer ${session.accessToken}` };
  const room = (await request(url, 'GET', `/rooms/${roomId}`, undefined, headers)).body as
    Room | { room: Room };
  const { lastSeq, rev } = 'room' in room ? room.room : room;
  const messages: Message[] = [];
  for (let after = 0, more = true; more;) {
    const path = `/rooms/${roomId}/messages?after=${String(after)}&limit=100`;
    const { status, body } = await request(url, 'GET', path, undefined, headers);
    if (status !== 200) throw new Error(`Could not read ${roomId}: ${JSON.stringify(body)}`);
    const page = body as { data: Message[]; hasMore: boolean };
    messages.push(...page.data);
    after = page.data.at(-1)?.seq ?? after;
    more = page.hasMore;
  }
  return { roomId, lastSeq, rev, messages };
}

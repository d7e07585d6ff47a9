import type { NestExpressApplication } from '@nestjs/platform-express';
import type { DestinationStream } from 'pino';
import { createApp } from '../../src/app.js';
import { Administrator } from '../../src/auth/administrator.service.js';
import type { AuthSession } from '../../src/contract/rest.js';
import { loadConfig } from '../../src/platform/config/config.js';
import { createLogger } from '../../src/platform/logging/logger.js';
import { Actor, request, type Answer, type DeviceOptions } from './actor.js';
import { createTestDatabase, type TestDatabase } from './database.js';

const PASSWORD = 'correct horse battery';

/** Limits out of the way; a test about a limit sets its own. */
const ENVIRONMENT = {
  HOST: '127.0.0.1',
  JWT_SECRET: 'a secret for tests that is long enough to be one',
  LOG_LEVEL: 'warn',
  LOG_FORMAT: 'json',
  SENDS_LIMIT: '100000',
  COMMANDS_LIMIT: '100000',
  ROOMS_LIMIT: '100000',
  REPORTS_LIMIT: '100000',
  LOGINS_LIMIT: '100000',
  FAILED_HANDSHAKES_LIMIT: '100000',
  TYPING_INTERVAL_MS: '0',
};

/** The whole server on a database and a port of its own, as `main.ts` would start it. */
export class TestServer {
  private readonly people: Actor[] = [];

  private constructor(
    readonly app: NestExpressApplication,
    readonly url: string,
    private readonly database: TestDatabase,
    readonly log: string[],
    private readonly ownDatabase: boolean,
  ) {}

  static async start(environment: Record<string, string> = {}, database?: TestDatabase): Promise<TestServer> {
    const db = database ?? (await createTestDatabase());
    const config = loadConfig({
      ...ENVIRONMENT,
      ...(db.databaseUrl !== undefined && { DATABASE_URL: db.databaseUrl }),
      DATA_DIR: db.dataDir,
      ...environment,
    });
    const log: string[] = [];
    const destination: DestinationStream = {
      write(line) {
        log.push(line);
        // A defect of the server is the first thing to see beside a failed test.
        if (line.startsWith('{"level":"error"')) process.stderr.write(line);
      },
    };
    const app = await createApp(config, createLogger(config, destination));
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as { port: number };
    return new TestServer(app, `http://127.0.0.1:${String(port)}`, db, log, database === undefined);
  }

  async stop(): Promise<void> {
    for (const actor of this.people) actor.disconnect();
    await this.app.close();
    if (this.ownDatabase) await this.database.drop();
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return request(this.url, 'POST', path, body, headers);
  }

  async register(username: string): Promise<AuthSession> {
    const { status, body } = await this.post('/auth/register', {
      username,
      password: PASSWORD,
      name: username,
    });
    if (status !== 201) throw new Error(`Could not register: ${String(status)} ${JSON.stringify(body)}`);
    return body as AuthSession;
  }

  async login(username: string): Promise<AuthSession> {
    return (await this.post('/auth/login', { username, password: PASSWORD })).body as AuthSession;
  }

  /** Registers people and connects each. */
  async actors<const Names extends string[]>(...names: Names): Promise<{ [I in keyof Names]: Actor }> {
    const people = await Promise.all(names.map(async (name) => this.connected(await this.register(name))));
    return people as { [I in keyof Names]: Actor };
  }

  /** Registers an administrator and connects `/chat`. */
  async administrator(username = 'root'): Promise<Actor> {
    await this.app
      .get(Administrator, { strict: false })
      .createUser({ username, password: PASSWORD, role: 'admin' });
    return this.connected(await this.login(username));
  }

  /** One more device of somebody. */
  async connected(session: AuthSession, options: DeviceOptions = {}): Promise<Actor> {
    return this.actor(session, options).connect();
  }

  actor(session: AuthSession, options: DeviceOptions = {}): Actor {
    const actor = new Actor(this.url, session, options);
    this.people.push(actor);
    return actor;
  }
}

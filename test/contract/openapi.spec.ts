import { createTestDatabase, type TestDatabase } from '../harness/database.js';
import { buildServer, ServerProcess } from '../harness/server-process.js';

interface Schema {
  type?: string;
  properties?: Record<string, object>;
}
interface Operation {
  tags?: string[];
  summary?: string;
  parameters?: { name: string; in: string }[];
  requestBody?: { content: Record<string, { schema: { $ref?: string } }> };
  responses: Record<string, unknown>;
  security?: unknown[];
}
interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

/** The Swagger plugin works in the build only (under swc schemas come out empty), so the built server is asked. */
describe('the OpenAPI document', () => {
  jest.setTimeout(60_000);
  let database: TestDatabase;
  let server: ServerProcess;
  let url: string;
  let document: OpenApi;
  beforeAll(async () => {
    database = await createTestDatabase();
    buildServer();
    server = new ServerProcess(database.dataDir, {
      DATA_DIR: database.dataDir,
      ...(database.databaseUrl !== undefined && {
        DATABASE_URL: database.databaseUrl,
        JWT_SECRET: 'x'.repeat(32),
      }),
    });
    url = await server.url();
    document = (await (await fetch(`${url}/docs/openapi.json`)).json()) as OpenApi;
  });
  afterAll(async () => {
    await server.end('SIGTERM');
    await database.drop();
  });

  it('describes every field of every body', () => {
    const bodies = Object.entries(document.components.schemas).filter(([name]) => name.endsWith('Dto'));
    expect(bodies.length).toBeGreaterThan(10);
    for (const [name, schema] of bodies)
      expect([name, Object.keys(schema.properties ?? {}).length]).not.toEqual([name, 0]);
    expect(document.components.schemas['NewMessageDto']?.properties).toMatchObject({
      content: { type: 'string' },
      mentions: { type: 'array' },
    });
  });

  it('has the routes of the contract, with their refusals', () => {
    const routes = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(routes).toEqual(
      expect.arrayContaining([
        'POST /api/v1/auth/register',
        'POST /api/v1/auth/login',
        'POST /api/v1/auth/refresh',
        'GET /api/v1/users/me',
        'GET /api/v1/rooms',
        'GET /api/v1/rooms/{roomId}/members',
        'POST /api/v1/rooms/{roomId}/messages',
        'GET /api/v1/rooms/{roomId}/changes',
        'POST /api/v1/rooms/{roomId}/read',
        'PATCH /api/v1/messages/{messageId}',
        'PUT /api/v1/messages/{messageId}/reactions/{emoji}',
        'GET /api/v1/me/unread',
        'GET /api/v1/presence',
        'GET /api/v1/notifications',
        'GET /api/v1/notifications/decisions',
        'PUT /api/v1/notification-preferences',
        'POST /api/v1/push-subscriptions',
        'PUT /api/v1/moderation/rooms/{roomId}/mutes/{userId}',
        'POST /api/v1/moderation/reports',
        'POST /api/v1/admin/users/{userId}/suspend',
        'GET /api/v1/audit-log',
      ]),
    );
    for (const operations of Object.values(document.paths))
      for (const { responses } of Object.values(operations))
        expect(responses['default']).toMatchObject({ content: { 'application/problem+json': {} } });
  });

  it('groups every route, and says of each what it is for and what stands in its path', () => {
    for (const [path, operations] of Object.entries(document.paths))
      for (const [method, { tags = [], summary = '', parameters = [] }] of Object.entries(operations)) {
        const inPath = parameters.filter((one) => one.in === 'path').map(({ name }) => `{${name}}`);
        expect([method, path, tags.length, inPath.sort()]).toEqual([
          method,
          path,
          1,
          (path.match(/\{\w+\}/g) ?? []).sort(),
        ]);
        expect([method, path, summary]).not.toEqual([method, path, '']);
      }
  });

  it('is shown at /docs', async () => {
    const page = await fetch(`${url}/docs`);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('Parley API');
    expect(await (await fetch(`${url}/docs/errors`)).text()).toContain('id="IDEMPOTENCY_CONFLICT"');
  });
});

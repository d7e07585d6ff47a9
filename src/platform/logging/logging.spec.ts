import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DatabaseError } from 'pg';
import type { Logger } from 'pino';
import { createLogger } from './logger.js';
import { NestLogger } from './nest-logger.js';
import { requestLogger } from './request-logger.js';

const MARKER = 'MARKER-7c2e';

/** A log that is kept. */
function recorded(level: 'debug' | 'info' = 'debug'): {
  logger: Logger;
  lines: () => Record<string, unknown>[];
  text: () => string;
} {
  let text = '';
  const logger = createLogger({ log: { level, format: 'json' } }, { write: (line) => void (text += line) });
  const lines = () =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { logger, lines, text: () => text };
}

const pgError = () =>
  Object.assign(new DatabaseError(`invalid input syntax for type integer: "${MARKER}"`, 1, 'error'), {
    code: '22P02',
    severity: 'ERROR',
    detail: `Key (a)=(${MARKER})`,
    where: MARKER,
    table: 'messages',
    routine: 'pg_strtoint32_safe',
  });
const failedQuery = () =>
  Object.assign(new Error(`invalid input syntax for type integer: "${MARKER}"`), {
    name: 'QueryFailedError',
    query: `INSERT ${MARKER}`,
    parameters: [MARKER],
    driverError: pgError(),
  });
const parseError = (): unknown => {
  try {
    return JSON.parse(`x${MARKER}`);
  } catch (error) {
    return error;
  }
};
const secretKeys = [
  'password',
  'newPassword',
  'token',
  'accessToken',
  'refresh_token',
  'Authorization',
  'cookie',
  'set-cookie',
  'JWT_SECRET',
];
const writtenKeys = ['content', 'data', 'body', 'headers', 'query', 'parameters', 'detail'];

describe('createLogger', () => {
  it('never shows what is secret or written by people', () => {
    const { logger, text, lines } = recorded();
    for (const key of [...secretKeys, ...writtenKeys]) {
      logger.info({ [key]: MARKER }, 'top');
      logger.info({ a: [{ b: { [key]: { inner: MARKER } } }] }, 'nested');
      logger.child({ [key]: MARKER }).info('child');
      logger
        .child({ a: 1 })
        .child({ b: { [key]: MARKER } })
        .info('grandchild');
      logger.info('formatted %o', { [key]: MARKER });
    }
    logger.info({ file: Buffer.from(MARKER), map: new Map([['a', MARKER]]) }, 'binary');
    expect(lines().length).toBeGreaterThan(40);
    expect(text()).not.toContain(MARKER);
  });

  it('shows of a database error what helps and none of its values', () => {
    const { logger, text, lines } = recorded();
    logger.error({ err: failedQuery() }, 'wrapped');
    logger.error(pgError(), 'bare');
    logger.error({ deep: { reason: failedQuery() } }, 'nested');
    logger.error({ err: new Error('outer', { cause: failedQuery() }) }, 'as a cause');
    logger.child({ err: failedQuery() }).error('bound');
    logger.error(failedQuery());
    logger.child({}).error({ err: pgError() });
    expect(text()).not.toContain(MARKER);
    for (const { err, deep } of lines()) expect(JSON.stringify(err ?? deep)).toContain('22P02');
    expect(lines()[0]?.['err']).toMatchObject({
      type: 'QueryFailedError',
      code: '22P02',
      table: 'messages',
      routine: 'pg_strtoint32_safe',
    });
  });

  it('shows of other errors type, message, code and frames', () => {
    const { logger, text, lines } = recorded();
    logger.error({ err: Object.assign(new TypeError('plain'), { code: 'E_X', request: MARKER }) }, 'failed');
    logger.error({ err: parseError() }, 'a parser quotes its input');
    expect(lines()[0]?.['err']).toMatchObject({
      type: 'TypeError',
      message: 'plain',
      code: 'E_X',
      stack: expect.stringMatching(/^\s+at /) as string,
    });
    expect(lines()[1]?.['err']).toMatchObject({ type: 'SyntaxError' });
    expect(text()).not.toContain(MARKER);
  });

  it('survives a circle', () => {
    const { logger, lines } = recorded();
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    logger.info(circle, 'round');
    expect(lines()).toHaveLength(1);
  });
});

describe('NestLogger', () => {
  it('takes the shapes Nest and our classes use', () => {
    const { logger, lines } = recorded();
    const nest = new NestLogger(logger);
    nest.log('Started', 'Presence');
    nest.log('Mapped', 'RouterExplorer');
    nest.error('A listener failed', new Error('why'), 'DomainEvents');
    nest.warn({ requestId: 'r1' }, 'Refused', 'Http');
    expect(lines()[0]).toMatchObject({ level: 'info', msg: 'Started', context: 'Presence' });
    // How Nest puts the application together is for its developers.
    expect(lines()[1]).toMatchObject({ level: 'debug', context: 'RouterExplorer' });
    expect(lines()[2]).toMatchObject({
      level: 'error',
      msg: 'A listener failed',
      context: 'DomainEvents',
      err: { message: 'why' },
    });
    expect(lines()[3]).toMatchObject({ level: 'warn', msg: 'Refused', context: 'Http', requestId: 'r1' });
  });

  it('never shows the values of a database error', () => {
    const { logger, lines, text } = recorded();
    const nest = new NestLogger(logger);
    nest.error(failedQuery());
    nest.error('Failed', failedQuery(), 'Http');
    nest.error('Failed', { content: MARKER }, 'Http');
    nest.error('Unable to connect', failedQuery().stack, 'TypeOrmModule');
    nest.error(
      'Unable to connect',
      'Error: connect ECONNREFUSED 127.0.0.1\n    at x (y:1:1)',
      'TypeOrmModule',
    );
    expect(text()).not.toContain(MARKER);
    expect(lines().at(-1)).toMatchObject({
      code: 'ECONNREFUSED',
      context: 'TypeOrmModule',
      msg: 'Unable to connect',
    });
  });
});

describe('requestLogger', () => {
  let server: Server;
  const log = recorded();
  beforeAll(async () => {
    const middleware = requestLogger(log.logger);
    server = createServer((request: IncomingMessage & { actor?: { userId: string } }, response) => {
      middleware(request, response, () => {
        request.actor = { userId: 'u1' };
        response.statusCode = request.url?.startsWith('/fail') ? 500 : 200;
        response.setHeader('set-cookie', MARKER).end(MARKER);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  async function ask(path: string, headers: Record<string, string> = {}) {
    const before = log.lines().length;
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${String(port)}${path}`, {
      method: 'POST',
      body: MARKER,
      headers,
    });
    await response.text();
    while (log.lines().length === before) await new Promise(setImmediate);
    return { id: response.headers.get('x-request-id'), line: log.lines().at(-1) };
  }

  it('writes one line without query, headers, cookies and bodies', async () => {
    const { id, line } = await ask(`/api/v1/rooms?token=${MARKER}`, {
      authorization: MARKER,
      cookie: MARKER,
      'user-agent': MARKER,
    });
    expect(line).toEqual({
      level: 'info',
      time: expect.any(String) as string,
      msg: 'request completed',
      requestId: id,
      method: 'POST',
      path: '/api/v1/rooms',
      status: 200,
      durationMs: expect.any(Number) as number,
      userId: 'u1',
    });
    expect(log.text()).not.toContain(MARKER);
  });

  it('says error for 5xx and debug for probes', async () => {
    expect((await ask('/fail')).line).toMatchObject({ level: 'error', status: 500, path: '/fail' });
    expect((await ask('/health/ready')).line).toMatchObject({ level: 'debug' });
    expect((await ask('/metrics')).line).toMatchObject({ level: 'debug' });
    expect((await ask('/healthy')).line).toMatchObject({ level: 'info' });
  });

  it('honours a request id that is one, and makes a UUIDv7 else', async () => {
    expect((await ask('/', { 'x-request-id': 'trace_1-A' })).id).toBe('trace_1-A');
    expect((await ask('/', { 'x-request-id': 'a b' })).id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect((await ask('/', { 'x-request-id': 'a'.repeat(65) })).id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect((await ask('/')).id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  });
});

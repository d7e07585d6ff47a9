import { Global, Module, type INestApplication } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { HttpExceptionFilter } from '../errors/http-exception.filter.js';
import { REDIS } from '../cluster/redis.js';
import { ConnectionCount } from './connection-count.js';
import { HealthModule } from './health.module.js';
import { Readiness } from './readiness.js';

/** Answers, refuses or hangs, as a database does. */
const dataSource = { options: { type: 'postgres' }, query: jest.fn<Promise<unknown>, [string]>() };

@Global()
@Module({
  providers: [
    { provide: ConnectionCount, useValue: { count: () => 3 } },
    { provide: getDataSourceToken(), useValue: dataSource },
    { provide: REDIS, useValue: null },
  ],
  exports: [ConnectionCount, getDataSourceToken(), REDIS],
})
class SurroundingsModule {}

describe('health', () => {
  let app: INestApplication;
  const server = () => app.getHttpServer() as Parameters<typeof request>[0];
  beforeEach(async () => {
    dataSource.query.mockReset().mockResolvedValue([{ '?column?': 1 }]);
    const module = await Test.createTestingModule({ imports: [SurroundingsModule, HealthModule] }).compile();
    app = module.createNestApplication({ logger: false });
    app.useGlobalFilters(new HttpExceptionFilter());
    await app.init();
  });
  afterEach(() => app.close());

  it('shows version, age and connections', async () => {
    const { body } = await request(server()).get('/health').expect(200);
    expect(body).toEqual({
      status: 'ok',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
      uptimeSeconds: expect.any(Number) as number,
      connections: 3,
    });
  });

  it('is ready while the database answers', async () => {
    await request(server()).get('/health/ready').expect(200, { status: 'ok' });
  });

  it('is alive but not ready without the database, and does not say where it is', async () => {
    dataSource.query.mockRejectedValue(new Error('connect ECONNREFUSED 10.1.2.3:5432'));
    const { body, text } = await request(server()).get('/health/ready').expect(503);
    expect(body).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    expect(text).not.toContain('10.1.2.3');
    await request(server()).get('/health/live').expect(200);
  });

  it('does not wait for a database that hangs', async () => {
    dataSource.query.mockReturnValue(new Promise(() => undefined));
    const started = performance.now();
    await request(server()).get('/health/ready').expect(503);
    expect(performance.now() - started).toBeLessThan(4000);
  });

  it('is not ready when draining', async () => {
    app.get(Readiness).drain();
    const { body } = await request(server()).get('/health/ready').expect(503);
    expect(body).toMatchObject({ code: 'UNAVAILABLE', detail: 'The server is shutting down' });
    await request(server()).get('/health/live').expect(200);
  });
});

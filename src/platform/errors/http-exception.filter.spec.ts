import { Body, Controller, Get, Param, Post, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { AppError } from './app-error.js';
import { HttpExceptionFilter } from './http-exception.filter.js';
import { unknownRoutes } from './unknown-routes.js';

const MARKER = 'MARKER-5b1f';

@Controller('things')
class ThingsController {
  @Get('slow')
  slow() {
    throw new AppError('SLOW_MODE', 'Wait a little', { retryAfterMs: 1200 });
  }

  @Get('broken')
  broken() {
    throw Object.assign(new Error(MARKER), { query: MARKER });
  }

  @Get('closed')
  closed() {
    throw new AppError('UNAUTHENTICATED', 'Authentication required');
  }

  @Get(':id')
  one(@Param('id') id: string) {
    return { id };
  }

  @Post()
  make(@Body() body: unknown) {
    return body;
  }
}

describe('HttpExceptionFilter', () => {
  let app: INestApplication;
  const server = () => app.getHttpServer() as Parameters<typeof request>[0];
  beforeAll(async () => {
    const module = await Test.createTestingModule({ controllers: [ThingsController] }).compile();
    app = module.createNestApplication({ logger: false });
    const filter = new HttpExceptionFilter();
    app.setGlobalPrefix('api', { exclude: ['things', 'things/{*rest}'] });
    app.useGlobalFilters(filter);
    await app.init();
    app.use(unknownRoutes(filter));
  });
  afterAll(() => app.close());

  it('answers problem+json with the fields of a WireError', async () => {
    const { body, headers } = await request(server()).get('/things/slow').expect(429);
    expect(headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(headers['retry-after']).toBe('2');
    expect(body).toEqual({
      type: '/docs/errors#SLOW_MODE',
      title: 'Slow mode',
      status: 429,
      detail: 'Wait a little',
      code: 'SLOW_MODE',
      retryable: true,
      retryAfterMs: 1200,
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
  });

  it('says how to authenticate', async () => {
    const { headers } = await request(server()).get('/things/closed').expect(401);
    expect(headers['www-authenticate']).toBe('Bearer');
  });

  it('leaks nothing of a defect', async () => {
    const { text, body } = await request(server()).get('/things/broken').expect(500);
    expect(body).toMatchObject({ code: 'INTERNAL', detail: 'Internal error', retryable: true });
    expect(text).not.toContain(MARKER);
  });

  // Outside the global prefix Express used to answer, in HTML and with the path.
  it.each(['/api', ''])('answers an unknown route below "%s" without repeating it', async (prefix) => {
    const { text, body } = await request(server()).get(`${prefix}/nowhere/${MARKER}?q=${MARKER}`).expect(404);
    expect(body).toMatchObject({ code: 'NOT_FOUND' });
    expect(text).not.toContain(MARKER);
  });

  it('answers malformed JSON', async () => {
    const { text, body } = await request(server())
      .post('/things')
      .type('json')
      .send(`{"a": ${MARKER}`)
      .expect(400);
    expect(body).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: [{ path: '(body)', problem: 'is not valid JSON' }],
    });
    expect(text).not.toContain(MARKER);
  });

  it('answers a body that is too large', async () => {
    const { body } = await request(server())
      .post('/things')
      .send({ text: 'x'.repeat(200_000) })
      .expect(413);
    expect(body).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  });

  it.each([
    { 'content-type': 'application/json; charset=klingon' },
    { 'content-type': 'application/json', 'content-encoding': 'klingon' },
  ])('answers an unsupported charset or encoding', async (headers) => {
    const { body } = await request(server()).post('/things').set(headers).send('{}').expect(415);
    expect(body).toMatchObject({ code: 'UNSUPPORTED_MEDIA' });
  });

  it('answers malformed percent encoding in the path', async () => {
    const { body } = await request(server()).get('/things/%E0%A4%A').expect(400);
    expect(body).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: [{ path: '(path)', problem: 'is not valid percent encoding' }],
    });
  });
});

import {
  BadRequestException,
  HttpException,
  NotFoundException,
  ServiceUnavailableException,
} from '@nestjs/common';
import { DatabaseError } from 'pg';
import { AppError } from './app-error.js';
import { databaseFault, sqlStateOf } from './database-error.js';
import { toAppError } from './to-app-error.js';

/** As TypeORM wraps what the driver threw. */
const failedQuery = (driverError: Error) =>
  Object.assign(new Error(String(driverError)), { query: 'SELECT', parameters: [], driverError });
const pgError = (code: string) =>
  Object.assign(new DatabaseError('says input', 1, 'error'), {
    code,
    severity: 'ERROR',
    constraint: 'UQ_x',
    table: 'messages',
    detail: 'Key (a)=(b)',
  });

describe('databaseFault', () => {
  it('reads wrapped and bare errors', () => {
    expect(databaseFault(failedQuery(pgError('23505')))).toEqual({
      sqlState: '23505',
      constraint: 'UQ_x',
      table: 'messages',
      routine: undefined,
    });
    expect(sqlStateOf(pgError('40001'))).toBe('40001');
  });

  it('knows other errors from it', () => {
    // EPIPE has the five characters of a SQLSTATE.
    expect(databaseFault(Object.assign(new Error('write'), { code: 'EPIPE' }))).toBeUndefined();
    expect(databaseFault('23505')).toBeUndefined();
  });
});

describe('toAppError', () => {
  it('passes AppError on', () => {
    const error = new AppError('SLOW_MODE', 'Wait', { retryAfterMs: 10 });
    expect(toAppError(error)).toBe(error);
  });

  it.each(['08006', '08P01', '53300', '57P01', '57P03', '40001', '40P01', '55P03', '57014'])(
    '%s is UNAVAILABLE',
    (state) => {
      expect(toAppError(failedQuery(pgError(state)))).toMatchObject({
        code: 'UNAVAILABLE',
        retryAfterMs: 1000,
      });
      expect(toAppError(pgError(state))).toMatchObject({ code: 'UNAVAILABLE' });
    },
  );

  it.each(['23505', '22P02', '42P01'])('%s is a defect of ours', (state) => {
    expect(toAppError(failedQuery(pgError(state)))).toMatchObject({
      code: 'INTERNAL',
      message: 'Internal error',
    });
  });

  it.each([
    Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }),
    new Error('timeout exceeded when trying to connect'),
    new Error('Connection terminated unexpectedly'),
    failedQuery(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })),
    failedQuery(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
    new ServiceUnavailableException({ error: 'where the database is' }),
  ])('%s is UNAVAILABLE', (error) => {
    expect(toAppError(error)).toMatchObject({
      code: 'UNAVAILABLE',
      message: 'The service is not available at the moment',
    });
  });

  it.each([
    [404, 'NOT_FOUND'],
    [405, 'NOT_FOUND'],
    [413, 'PAYLOAD_TOO_LARGE'],
    [415, 'UNSUPPORTED_MEDIA'],
    [418, 'VALIDATION_FAILED'],
    [429, 'RATE_LIMITED'],
    [500, 'INTERNAL'],
  ])('HTTP %d is %s', (status, code) => {
    expect(toAppError(new HttpException('says input', status))).toMatchObject({ code });
  });

  it('repeats no words of a library', () => {
    expect(toAppError(new NotFoundException('Cannot GET /secret?token=x')).message).toBe('Not found');
  });

  it('names the malformed part', () => {
    const cause = Object.assign(new SyntaxError('Unexpected token'), {
      type: 'entity.parse.failed',
      status: 400,
    });
    expect(toAppError(new BadRequestException('Unexpected token', { cause })).details).toEqual([
      { path: '(body)', problem: 'is not valid JSON' },
    ]);
    expect(
      toAppError(new BadRequestException('x', { cause: new URIError('URI malformed') })).details?.[0]?.path,
    ).toBe('(path)');
    expect(toAppError(new URIError('URI malformed')).code).toBe('VALIDATION_FAILED');
  });

  it.each([undefined, null, 'text', 7, {}, new Error('inside')])(
    '%p is INTERNAL and tells nothing',
    (thrown) => {
      expect(toAppError(thrown)).toMatchObject({
        code: 'INTERNAL',
        message: 'Internal error',
        details: undefined,
      });
    },
  );
});

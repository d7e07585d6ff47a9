import { HttpException } from '@nestjs/common';
import { ERRORS, type ErrorCode } from '../../contract/errors.js';
import { AppError } from './app-error.js';
import { sqlStateOf } from './database-error.js';

/** The sentences for refusals that libraries raise: theirs repeat the path, the header or the value that was sent. */
const SENTENCES = {
  UNAUTHENTICATED: 'Authentication required',
  FORBIDDEN: 'Forbidden',
  NOT_FOUND: 'Not found',
  CONFLICT: 'Conflict',
  VALIDATION_FAILED: 'The request is not valid',
  PAYLOAD_TOO_LARGE: 'The request is too large',
  UNSUPPORTED_MEDIA: 'The media type, charset or encoding is not supported',
  RATE_LIMITED: 'Too many requests',
  INTERNAL: 'Internal error',
  UNAVAILABLE: 'The service is not available at the moment',
} as const satisfies Partial<Record<ErrorCode, string>>;

/** Statuses that frameworks raise, as the nearest code of the closed table. */
const CODE_OF_STATUS: Partial<Record<number, keyof typeof SENTENCES>> = {
  400: 'VALIDATION_FAILED',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'NOT_FOUND',
  406: 'UNSUPPORTED_MEDIA',
  408: 'UNAVAILABLE',
  409: 'CONFLICT',
  410: 'NOT_FOUND',
  412: 'CONFLICT',
  413: 'PAYLOAD_TOO_LARGE',
  414: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA',
  429: 'RATE_LIMITED',
  431: 'PAYLOAD_TOO_LARGE',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'UNAVAILABLE',
};

/**
 * Connection exceptions, too few resources, server going down or starting; then what a repetition settles:
 * serialization, deadlock, lock not available, statement timeout.
 */
const TRANSIENT_SQL_STATE = /^(08...|53...|57P0.|40001|40P01|55P03|57014)$/;
const TRANSIENT_ERRNO = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
/** pg and pg-pool raise these as plain errors without a code. */
const TRANSIENT_MESSAGE =
  /^(timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error|Client was closed and is not queryable|Cannot use a pool after calling end|Query read timeout)/;
const RETRY_AFTER_MS = 1000;

/** Whatever was thrown, as the one error that may reach a client. Shared by HTTP and sockets. */
export function toAppError(exception: unknown): AppError {
  if (exception instanceof AppError) return exception;
  if (exception instanceof URIError) return AppError.invalid('(path)', 'is not valid percent encoding');
  if (exception instanceof HttpException) return fromStatus(exception.getStatus(), exception);
  if (isTransient(exception)) return refusal('UNAVAILABLE', exception);
  // http-errors of a middleware that ran outside Nest's routes.
  const status = field(exception, 'statusCode');
  if (typeof status === 'number' && status >= 400 && status < 500) return fromStatus(status, exception);
  return refusal('INTERNAL', exception);
}

function fromStatus(status: number, exception: unknown): AppError {
  const { cause } = exception as { cause?: unknown };
  if (cause instanceof AppError) return cause;
  if (cause instanceof URIError) return toAppError(cause);
  // body-parser names its reasons in `type`.
  const reason = field(cause, 'type') ?? field(exception, 'type');
  if (reason === 'entity.parse.failed') return AppError.invalid('(body)', 'is not valid JSON');
  return refusal(CODE_OF_STATUS[status] ?? (status < 500 ? 'VALIDATION_FAILED' : 'INTERNAL'), exception);
}

function refusal(code: keyof typeof SENTENCES, cause: unknown): AppError {
  const wait = ERRORS[code].retryable && code !== 'INTERNAL';
  return new AppError(code, SENTENCES[code], { cause, retryAfterMs: wait ? RETRY_AFTER_MS : undefined });
}

function isTransient(error: unknown): boolean {
  const sqlState = sqlStateOf(error);
  if (sqlState !== undefined) return TRANSIENT_SQL_STATE.test(sqlState);
  const driver = field(error, 'driverError') ?? error;
  const code = field(driver, 'code');
  if (typeof code === 'string' && TRANSIENT_ERRNO.has(code)) return true;
  return driver instanceof Error && TRANSIENT_MESSAGE.test(driver.message);
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

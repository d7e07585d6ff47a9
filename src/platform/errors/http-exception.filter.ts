import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { v7 as uuidv7 } from 'uuid';
import type { ErrorCode } from '../../contract/errors.js';
import { toAppError } from './to-app-error.js';

/** RFC 9457: the same for every occurrence of a code, unlike `detail`. */
const TITLES: Record<ErrorCode, string> = {
  UNAUTHENTICATED: 'Authentication required',
  TOKEN_EXPIRED: 'Token expired',
  SESSION_REVOKED: 'Session revoked',
  SUSPENDED: 'Account suspended',
  FORBIDDEN: 'Forbidden',
  NOT_A_MEMBER: 'Not a member of the room',
  MUTED: 'Muted',
  BANNED: 'Banned',
  ROOM_ARCHIVED: 'Room archived',
  ROOM_FROZEN: 'Room frozen',
  NOT_FOUND: 'Not found',
  CONFLICT: 'Conflict',
  VALIDATION_FAILED: 'Input not valid',
  UNKNOWN_EVENT: 'Unknown event',
  IDEMPOTENCY_CONFLICT: 'Same id with another request',
  CONTENT_REJECTED: 'Content rejected',
  PAYLOAD_TOO_LARGE: 'Payload too large',
  UNSUPPORTED_MEDIA: 'Media not supported',
  RATE_LIMITED: 'Too many requests',
  SLOW_MODE: 'Slow mode',
  LIMIT_EXCEEDED: 'Limit exceeded',
  INTERNAL: 'Internal error',
  UNAVAILABLE: 'Not available',
};

/** Answers every refusal over HTTP as RFC 9457 `application/problem+json`, with the fields of a `WireError`. */
@Catch()
export class HttpExceptionFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(exception, http.getRequest<Request>(), http.getResponse<Response>());
  }

  /** Without Nest's context, for `unknownRoutes`. */
  answer(exception: unknown, request: Request, response: Response): void {
    const requestId = idOf(request);
    const error = toAppError(exception);
    if (error.code === 'INTERNAL')
      this.logger.error({ requestId, err: error.cause ?? error }, 'Request failed');
    else if (error.code === 'UNAVAILABLE')
      this.logger.warn({ requestId, err: error.cause ?? error }, 'Request refused');
    if (response.headersSent) {
      // Half an answer is out: only a cut connection tells the client that the rest is missing.
      response.destroy();
      return;
    }
    const { message, ...wire } = error.toWire(requestId);
    if (error.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
    if (wire.retryAfterMs !== undefined)
      response.setHeader('Retry-After', Math.ceil(wire.retryAfterMs / 1000));
    const problem = {
      type: `/docs/errors#${error.code}`,
      title: TITLES[error.code],
      status: error.status,
      detail: message,
      ...wire,
    };
    response.status(error.status).type('application/problem+json').send(JSON.stringify(problem));
  }
}

/** The request logger gives every request its id; an error before it gets one here, so that the log can be found. */
function idOf(request: Request): string {
  const { id } = request as { id?: unknown };
  return typeof id === 'string' ? id : uuidv7();
}

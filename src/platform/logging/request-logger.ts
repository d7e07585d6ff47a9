import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';
import { v7 as uuidv7 } from 'uuid';
import { runWithRequestId } from '../identity/request-context.js';

type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;
type LoggedRequest = IncomingMessage & { id?: unknown; originalUrl?: string; actor?: { userId: string } };

const REQUEST_ID = /^[A-Za-z0-9_-]{1,64}$/;
/** Asked every few seconds by machines. */
const PROBES = /^\/(health(\/|$)|metrics$)/;
const MOST_PATH = 512;

/**
 * One line for every request: what was asked, how it ended, how long it took, by whom. Never bodies, headers, cookies
 * or the query string. Gives the request its id (`request.id`), which the answer repeats as `x-request-id`.
 */
export function requestLogger(logger: Logger): Middleware {
  const startedAt = new WeakMap<IncomingMessage, number>();
  const line = (request: LoggedRequest, response: ServerResponse) => ({
    method: request.method,
    path: pathOf(request),
    status: response.statusCode,
    durationMs: Math.round((performance.now() - (startedAt.get(request) ?? performance.now())) * 10) / 10,
    ...(request.actor && { userId: request.actor.userId }),
  });
  const log = pinoHttp<LoggedRequest>({
    logger,
    // The line below is all there is: no serialized request or response, and errors are the filter's.
    serializers: { req: () => undefined, res: () => undefined },
    wrapSerializers: false,
    quietReqLogger: true,
    quietResLogger: true,
    customAttributeKeys: { reqId: 'requestId' },
    genReqId: (request, response) => {
      const given = request.headers['x-request-id'];
      const id = typeof given === 'string' && REQUEST_ID.test(given) ? given : uuidv7();
      response.setHeader('x-request-id', id);
      return id;
    },
    customLogLevel: (request, response) => {
      if (PROBES.test(pathOf(request))) return 'debug';
      return response.statusCode >= 500 ? 'error' : 'info';
    },
    customSuccessObject: line,
    customErrorObject: line,
    customErrorMessage: () => 'request failed',
  });
  return (request, response, next) => {
    startedAt.set(request, performance.now());
    log(request, response);
    // As `genReqId` gave it.
    runWithRequestId(request.id as string, next);
  };
}

function pathOf(request: LoggedRequest): string {
  const url = request.originalUrl ?? request.url ?? '';
  return (url.split(/[?#]/, 1)[0] ?? '').slice(0, MOST_PATH);
}

import type { RequestHandler } from 'express';
import { AppError } from '../errors/app-error.js';

/**
 * After the body parsers: a body none of them read would count as an empty one, and a route whose fields may
 * all be absent would answer 200 to what it never saw.
 */
export const onlyReadMedia: RequestHandler = ({ headers, body }, _response, next) => {
  const sent = Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined;
  if (sent && body === undefined)
    next(new AppError('UNSUPPORTED_MEDIA', 'The body is of a type that is not read here'));
  else next();
};

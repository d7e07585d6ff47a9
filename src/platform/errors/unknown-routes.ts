import type { RequestHandler } from 'express';
import { AppError } from './app-error.js';
import type { HttpExceptionFilter } from './http-exception.filter.js';

/**
 * Last in Express, after `app.init()`: Nest answers unknown routes below the global prefix only; elsewhere Express
 * would, with an HTML page that repeats the path.
 */
export function unknownRoutes(filter: HttpExceptionFilter): RequestHandler {
  return (request, response) => {
    filter.answer(new AppError('NOT_FOUND', 'Not found'), request, response);
  };
}

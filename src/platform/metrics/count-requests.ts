import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Metrics } from './metrics.js';

/** Counts every HTTP request when its answer is out, also those no route knows. */
export function countRequests(metrics: Metrics) {
  return (request: IncomingMessage, response: ServerResponse, next: () => void): void => {
    response.once('finish', () => {
      metrics.requestAnswered(request.method ?? '', response.statusCode);
    });
    next();
  };
}

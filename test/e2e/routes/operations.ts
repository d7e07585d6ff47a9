import type { Routes } from './route.js';

/** Outside the prefix, for operators and browsers. */
export function operationRoutes(): Routes {
  return {
    'GET /': { status: 302 },
    'GET /health': {},
    'GET /health/live': {},
    'GET /health/ready': {},
    'GET /metrics': {},
    'GET /docs/errors': {},
    'GET /setup': { html: true },
    'POST /setup': { html: true },
  };
}

import { matching, needed, optional, text, visible } from '../../harness/hostile.js';
import { anyText, digits, type Routes } from './route.js';

/** Sign-in, the own profile and the directory. */
export function authRoutes(): Routes {
  const name = visible('', (value) => text(1, 5000)(value) && (value as string).length <= 102);
  const password = (value: unknown) => typeof value === 'string' && value.length >= 8 && value.length <= 1024;
  return {
    'POST /api/v1/auth/register': {
      body: {
        username: needed('erin', matching(/^[\w.-]{2,32}$/)),
        password: needed('correct horse battery', password),
        name: optional('Erin', name),
      },
    },
    'POST /api/v1/auth/login': {
      body: { username: needed('alice', anyText(128)), password: needed('wrong horse', anyText(1024)) },
      status: 401,
    },
    'POST /api/v1/auth/refresh': {
      body: { refreshToken: needed('no such token', anyText(256)) },
      status: 401,
    },
    'POST /api/v1/auth/logout': { endsSession: true },
    'POST /api/v1/auth/logout-all': { endsSession: true },
    'GET /api/v1/users/me': {},
    'PATCH /api/v1/users/me': {
      body: {
        name: optional('Alice', name),
        avatarUrl: optional('https://example.com/a.png', (value) => value === null),
      },
    },
    'GET /api/v1/users': {
      query: {
        query: optional('al', (value) => typeof value === 'string' && value.length <= 100),
        cursor: optional(undefined, matching(/^[A-Za-z0-9_-]+$/)),
        limit: optional('10', digits(1, 100)),
      },
    },
  };
}

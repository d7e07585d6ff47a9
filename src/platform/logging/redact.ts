import { describeError } from './describe-error.js';

export const REDACTED = '[redacted]';
const MOST_LEVELS = 6;
const MOST_ITEMS = 50;

/** Anywhere in a key, in any spelling: `accessToken`, `set-cookie`, `x_api_key`. */
const SECRET_PART = /password|passwd|token|secret|authorization|cookie|apikey|credential/;
/** What people wrote, and what carries it. */
const SECRET_NAMES = new Set([
  'content',
  'data',
  'body',
  'rawbody',
  'payload',
  'text',
  'headers',
  'rawheaders',
  'query',
  'parameters',
  'params',
  'detail',
  'email',
  'jwt',
]);

/**
 * The second net under the log, the first being that nobody logs such things: a copy of the fields of a line without
 * secrets and without what people wrote, at any depth, and with errors reduced to what is safe in them.
 */
export function redact(fields: object): Record<string, unknown> {
  return copy(fields, 0) as Record<string, unknown>;
}

function copy(value: unknown, level: number): unknown {
  if (value instanceof Error) return describeError(value);
  if (typeof value !== 'object' || value === null) return value;
  if (level >= MOST_LEVELS) return '[deeper]';
  if (Array.isArray(value)) return value.slice(0, MOST_ITEMS).map((item) => copy(item, level + 1));
  if (value instanceof Date) return value;
  // Requests, sockets, entities, buffers: nobody meant to log all that hangs on them.
  if (!isPlain(value)) return `[${value.constructor.name}]`;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, isSecret(key) ? REDACTED : copy(item, level + 1)]),
  );
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function isSecret(key: string): boolean {
  const name = key.toLowerCase().replace(/[^a-z0-9]/g, '');
  return SECRET_NAMES.has(name) || SECRET_PART.test(name);
}

import { AppError } from '../platform/errors/app-error.js';

/** The place of a user in lists by username. */
export function cursorOf(key: string): string {
  return Buffer.from(key).toString('base64url');
}

/** Any text is a place in the alphabet, so a made-up cursor does no harm; what is not even text is refused. */
export function keyOf(cursor: string): string {
  const key = Buffer.from(cursor, 'base64url').toString();
  if (key === '' || key.includes('\0') || cursorOf(key) !== cursor)
    throw AppError.invalid('cursor', 'is not a cursor of this list');
  return key;
}

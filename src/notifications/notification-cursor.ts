import { AppError } from '../platform/errors/app-error.js';
import type { NotificationKey } from './notifications.repository.js';

const CURSOR = /^(\d{1,15}) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
/** The last time a `Date` can tell. */
const LAST_MS = 8.64e15;

export function cursorOf({ createdAt, id }: NotificationKey): string {
  return Buffer.from(`${String(createdAt.getTime())} ${id}`).toString('base64url');
}

export function keyOf(cursor: string): NotificationKey {
  const [, at, id] = CURSOR.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (at === undefined || id === undefined || Number(at) > LAST_MS)
    throw AppError.invalid('cursor', 'is not a cursor of this list');
  return { createdAt: new Date(Number(at)), id };
}

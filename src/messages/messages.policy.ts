import { AppError } from '../platform/errors/app-error.js';
import { capabilitiesOf } from '../rooms/rooms.policy.js';
import type { MemberState, RoomState } from './batch-state.js';

/** Rules of writing in a room, checked under the room's lock. They throw what the sender is told. */

/** The same for a message that never was and one in a room that is not the reader's. */
export function messageNotFound(): AppError {
  return new AppError('NOT_FOUND', 'There is no such message');
}

/** Those who may set slow mode are not slowed by it. */
export function assertNotTooSoon(room: RoomState, member: MemberState, now: Date): void {
  if (room.slowModeSeconds === 0 || !member.lastSentAt) return;
  if (capabilitiesOf(room.type, member.role).includes('room:update')) return;
  const retryAfterMs = member.lastSentAt.getTime() + room.slowModeSeconds * 1000 - now.getTime();
  if (retryAfterMs > 0) throw new AppError('SLOW_MODE', 'This room is in slow mode', { retryAfterMs });
}

export function assertLength(content: string, limit: number): void {
  if (codePoints(content) > limit)
    throw AppError.invalid('content', `must be at most ${String(limit)} characters`);
}

/** A message says something: in words, or in the data of its own type. */
export function assertSays(content: string, hasData: boolean): void {
  if (content === '' && !hasData) throw AppError.invalid('content', 'must not be empty');
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

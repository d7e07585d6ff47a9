import type { FilterKind } from '../contract/moderation.js';
import type { Message } from '../contract/views.js';
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
  if (room.slowModeSeconds === 0 || member.lastSentAt === null) return;
  if (capabilitiesOf(room.type, member.role).includes('room:update')) return;
  const retryAfterMs = member.lastSentAt + room.slowModeSeconds * 1000 - now.getTime();
  if (retryAfterMs > 0) throw new AppError('SLOW_MODE', 'This room is in slow mode', { retryAfterMs });
}

/** Somebody may have to be told of the message while they are not looking. */
export function hasCauseToNotify({ type, notifyAll }: RoomState, message: Message): boolean {
  return (
    type === 'direct' ||
    notifyAll ||
    message.mentions.length > 0 ||
    message.replyTo !== undefined ||
    message.threadId !== undefined
  );
}

/** Which word or which link is not told: it would teach the way around. */
export function assertAllowed(rejected: FilterKind | undefined): void {
  if (rejected === undefined) return;
  throw new AppError('CONTENT_REJECTED', 'The message says something that is not allowed here', {
    details: [{ path: 'content', problem: `contains a ${rejected} that is not allowed` }],
  });
}

export function assertLength(content: string, limit: number): void {
  // A code point is one or two units: what is short enough in units is not counted.
  if (content.length > limit && codePoints(content) > limit)
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

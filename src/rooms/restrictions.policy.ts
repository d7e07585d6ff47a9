import type { RestrictionKind } from '../contract/moderation.js';
import { AppError } from '../platform/errors/app-error.js';
import { EVERYWHERE } from './restriction.entity.js';

/** A restriction that counts at this moment. */
export interface ActiveRestriction {
  scope: string;
  kind: RestrictionKind;
  until: Date | null;
}

/** The one that people are told of: a ban before a mute, then what holds longest. */
export function strongest(restrictions: readonly ActiveRestriction[]): ActiveRestriction | null {
  const end = ({ until }: ActiveRestriction) => until?.getTime() ?? Infinity;
  return restrictions.reduce<ActiveRestriction | null>((found, next) => {
    if (!found) return next;
    if (found.kind !== next.kind) return next.kind === 'ban' ? next : found;
    return end(next) > end(found) ? next : found;
  }, null);
}

/** Writing, in words or otherwise. Reading, marking as read and leaving are never asked for. */
export function assertMayWrite(restriction: ActiveRestriction | null): void {
  if (restriction) throw refusal(restriction);
}

/** What a mute leaves: taking back one's own words, and the affairs of the room. */
export function assertNotBanned(restriction: ActiveRestriction | null): void {
  if (restriction?.kind === 'ban') throw refusal(restriction);
}

/** Who is banned becomes a member of nothing, by nobody's hand. */
export function refusal({ kind, scope, until }: ActiveRestriction): AppError {
  const where = scope === EVERYWHERE ? 'everywhere' : 'in this room';
  return new AppError(
    kind === 'ban' ? 'BANNED' : 'MUTED',
    `A moderator has ${kind === 'ban' ? 'banned' : 'muted'} this user ${where}`,
    until ? { details: [{ path: 'until', problem: until.toISOString() }] } : {},
  );
}

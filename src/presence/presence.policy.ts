import { AppError } from '../platform/errors/app-error.js';

const YEAR_MS = 365 * 86_400_000;

/** A choice ends in the future, and not too far in it. */
export function assertUntil(until: Date, now: number): void {
  if (until.getTime() <= now) throw AppError.invalid('until', 'must be in the future');
  if (until.getTime() > now + YEAR_MS) throw AppError.invalid('until', 'must be at most a year ahead');
}

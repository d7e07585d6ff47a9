import { AppError } from '../errors/app-error.js';
import type { Actor } from './actor.js';

/** First statement of what only administrators do. */
export function assertAdministrator(actor: Pick<Actor, 'role'>): void {
  if (actor.role !== 'admin') throw new AppError('FORBIDDEN', 'Only administrators do this');
}

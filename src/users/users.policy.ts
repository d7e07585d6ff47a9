import type { UserRole } from '../contract/views.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';

export function userNotFound(): AppError {
  return new AppError('NOT_FOUND', 'There is no such user');
}

export function assertNotOneself(actor: Actor, userId: string): void {
  if (actor.userId === userId) throw new AppError('CONFLICT', 'Nobody suspends their own account');
}

/** With `AUTH_PROVISIONING=jit`, where tokens of another issuer are followed. */
export function assertOwnRole({ roleByIssuer }: { roleByIssuer: boolean }): void {
  if (roleByIssuer) throw new AppError('CONFLICT', 'The issuer of their tokens decides their role');
}

/** An installation keeps an administrator who can sign in. */
export function assertNotLastAdministrator({ role }: { role: UserRole }, others: number): void {
  if (role === 'admin' && others === 0)
    throw new AppError(
      'CONFLICT',
      'The last administrator stays one: make somebody else an administrator first',
    );
}

import type { User } from '../contract/views.js';
import type { Actor } from '../platform/identity/actor.js';
import type { UserEntity } from './user.entity.js';

/** Somebody else, as everybody may see them. */
export type UserSummary = Omit<User, 'role'>;

/** An account, as administrators see it. */
export type Account = User & { createdAt: string; suspendedAt?: string };

export function accountView(user: UserEntity): Account {
  return {
    ...userView(user),
    createdAt: user.createdAt.toISOString(),
    ...(user.suspendedAt !== null && { suspendedAt: user.suspendedAt.toISOString() }),
  };
}

export function userView(user: UserEntity): User {
  return { ...userSummary(user), role: user.role };
}

export function userSummary({ id, username, name, avatarUrl }: UserEntity): UserSummary {
  return { id, username, name, ...(avatarUrl !== null && { avatarUrl }) };
}

export function actorView({ userId: id, username, name, role, avatarUrl }: Actor): User {
  return { id, username, name, role, ...(avatarUrl !== undefined && { avatarUrl }) };
}

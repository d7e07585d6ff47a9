import type { UserRole } from '../../contract/views.js';

/** Who acts: the first argument of every use case. Made by `auth` from a verified token and a known user, never from input. */
export interface Actor {
  readonly userId: string;
  readonly username: string;
  readonly name: string;
  readonly avatarUrl?: string;
  readonly role: UserRole;
  /** The refresh family the token belongs to; tokens of other issuers have none. */
  readonly sessionId?: string;
  /** When the access token expires, in ms since the epoch. */
  readonly expiresAt: number;
}

import type { Actor } from '../identity/actor.js';

/** Port through which sockets learn who they belong to; `auth` implements it, so that the platform knows no feature. */
export abstract class SocketAuthenticator {
  /** Refuses with UNAUTHENTICATED, TOKEN_EXPIRED, SESSION_REVOKED or SUSPENDED; the messages are those of `CONNECT_ERRORS` where one fits. */
  abstract authenticate(token: string | undefined): Promise<Actor>;
}

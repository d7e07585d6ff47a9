/** What every namespace has: the renewal of the connection, and its end. */
import type { ClosingCode, WireError } from './errors.js';

/** Renews all sockets of the connection. The token must be of the same user. */
export interface RefreshAuth {
  token: string;
}

export interface SessionCommands {
  'auth:refresh': { payload: RefreshAuth; result: { expiresAt: string } };
}

export interface SessionEvents {
  /** To the socket, 60 s before its token expires: renew with `auth:refresh`. */
  'session:expiring': { expiresAt: string };
  /** To the socket, just before the server disconnects it. */
  'session:closing': { code: ClosingCode; reconnect: boolean; retryAfterMs?: number };
  /** To the socket, instead of an ack when a refused command came without a callback. */
  error: WireError & { event: string };
}

/** The events of every namespace, at run time. */
export const SESSION_EVENTS: Record<keyof SessionEvents, true> = {
  'session:expiring': true,
  'session:closing': true,
  error: true,
};

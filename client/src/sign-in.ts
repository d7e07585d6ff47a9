import type { AuthSession } from '../../src/contract/rest.js';
import type { User } from '../../src/contract/views.js';
import { isWireError, ParleyError } from './errors.js';

/** A local account of a Parley server. */
export interface Account {
  /** The server's address, as for `createClient`. */
  url: string;
  username: string;
  password: string;
}

/** A sign-in with a password: who one is, and the tokens, renewed when they are asked for. Give `getToken` to `createClient`. */
export interface SignIn {
  readonly user: User;
  readonly getToken: () => Promise<string>;
}

/** Signs in to a local account. UNAUTHENTICATED, SUSPENDED, RATE_LIMITED. */
export const signIn = ({ url, username, password }: Account): Promise<SignIn> =>
  open(url, 'login', { username, password });

/** Makes a local account and signs in to it. CONFLICT (the name is taken), VALIDATION_FAILED, FORBIDDEN, RATE_LIMITED. */
export const register = ({ url, ...account }: Account & { name?: string }): Promise<SignIn> =>
  open(url, 'register', account);

async function open(url: string, route: string, body: object): Promise<SignIn> {
  let session = await post(url, route, body);
  let isUsed = false;
  return {
    user: session.user,
    // A client asks again only when it needs another one.
    getToken: async () => {
      if (isUsed) session = await post(url, 'refresh', { refreshToken: session.refreshToken });
      isUsed = true;
      return session.accessToken;
    },
  };
}

async function post(url: string, route: string, body: object): Promise<AuthSession> {
  let answer: unknown;
  try {
    const response = await fetch(`${url.replace(/\/+$/, '')}/api/v1/auth/${route}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    answer = await response.json();
    if (response.ok) return answer as AuthSession;
  } catch (cause) {
    throw new ParleyError('UNAVAILABLE', `${url} cannot be reached`, { cause });
  }
  throw refusal(answer, url);
}

/** RFC 9457 says `detail` where a socket says `message`. */
function refusal(problem: unknown, url: string): ParleyError {
  const wire = { ...(problem as object), message: (problem as { detail?: unknown } | null)?.detail };
  return isWireError(wire)
    ? ParleyError.fromWire(wire)
    : new ParleyError('UNAVAILABLE', `${url} did not answer as Parley does`);
}

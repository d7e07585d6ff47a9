import { JwtService } from '@nestjs/jwt';
import type { AuthSession } from '../../src/contract/rest.js';

/** The `JWT_SECRET` that a team shares with its Parley, for tests that sign tokens themselves. */
export const SHARED_SECRET = 'shared with the backend of another team';

/** What another issuer would put into a token that is good for an hour; a claim given as undefined is left out. */
export function signToken(claims: Record<string, unknown>, secret = SHARED_SECRET): string {
  const now = Math.floor(Date.now() / 1000);
  const all: Record<string, unknown> = { iss: 'parley', aud: 'parley', iat: now, exp: now + 3600, ...claims };
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new JwtService({ secret }).sign(given, { algorithm: 'HS256' });
}

/** A user of another issuer, as `TestServer.actor` takes one. */
export function foreignSession(sub: string, claims: Record<string, unknown> = {}): AuthSession {
  const accessToken = signToken({ sub, name: sub, ...claims });
  return {
    user: { id: sub, username: sub, name: sub, role: 'user' },
    accessToken,
    refreshToken: '',
    expiresAt: '',
  };
}

/** Without a signature, as attackers send them. */
export function unsignedToken(claims: Record<string, unknown>): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none', typ: 'JWT' })}.${part({ iss: 'parley', aud: 'parley', exp: 4e9, ...claims })}.`;
}

export function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

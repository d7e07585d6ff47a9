import { Inject, Injectable } from '@nestjs/common';
import { JwtService, TokenExpiredError } from '@nestjs/jwt';
import { CONTRACT_LIMITS } from '../contract/limits.js';
import type { User } from '../contract/views.js';
import type { Config } from '../platform/config/config.js';
import { CONFIG } from '../platform/config/config.module.js';

/** What a verified access token says. */
export interface AccessClaims {
  readonly userId: string;
  /** Ms since the epoch. */
  readonly expiresAt: number;
  /** Seconds since the epoch, as JWT has it. */
  readonly issuedAt?: number;
  /** The Parley session; tokens of other issuers have none. */
  readonly sessionId?: string;
  /** About the person, as another issuer puts it; not checked yet. */
  readonly profile: Readonly<Record<'name' | 'username' | 'picture' | 'role', unknown>>;
}

export type AccessTokenFailure = 'INVALID' | 'EXPIRED';

/** A token that is refused. Why exactly is nobody's business but the log's. */
export class AccessTokenError extends Error {
  constructor(
    readonly failure: AccessTokenFailure,
    options?: ErrorOptions,
  ) {
    super(`Access token: ${failure}`, options);
    this.name = 'AccessTokenError';
  }
}

interface Decoded {
  header: Record<string, unknown>;
  payload: Record<string, unknown> | string;
}

const ALGORITHM = 'HS256';
/** Those of access tokens and of libraries that set none; a token made for another purpose (`logout+jwt`, ...) is refused. */
const TYPES = new Set<unknown>([undefined, 'JWT', 'AT+JWT', 'APPLICATION/AT+JWT']);
/** A larger one is no access token, and need not be decoded to know. */
const MOST_CHARACTERS = 8192;
/** The largest time a `Date` can hold, in seconds. */
const LAST_SECOND = 8.64e12;
/** An id becomes a key in many places: printable ASCII without spaces. */
const ID = new RegExp(`^[\\x21-\\x7e]{1,${String(CONTRACT_LIMITS.userIdLength)}}$`);

/**
 * Signs and verifies access tokens: the one place that knows how. The algorithm and the key are ours to choose, never
 * the token's: `kid`, `jku`, `jwk` and `x5u` in a header are not looked at. Other keys (JWKS) will be found in here.
 */
@Injectable()
export class AccessTokens {
  constructor(
    private readonly jwt: JwtService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async sign(user: User, sessionId: string): Promise<{ token: string; expiresAt: Date }> {
    const { issuer, audience, accessTokenSeconds } = this.config.auth;
    const issuedAt = Math.floor(Date.now() / 1000);
    const exp = issuedAt + accessTokenSeconds;
    const token = await this.jwt.signAsync(
      {
        sub: user.id,
        name: user.name,
        role: user.role,
        sid: sessionId,
        iss: issuer,
        aud: audience,
        iat: issuedAt,
        exp,
      },
      { algorithm: ALGORITHM },
    );
    return { token, expiresAt: new Date(exp * 1000) };
  }

  /** Refuses with `AccessTokenError`. */
  async verify(token: string): Promise<AccessClaims> {
    if (token.length > MOST_CHARACTERS) throw new AccessTokenError('INVALID');
    const { header, payload } = await this.decode(token);
    if (typeof payload === 'string' || !isAccessToken(header)) throw new AccessTokenError('INVALID');
    return claimsOf(payload);
  }

  private async decode(token: string): Promise<Decoded> {
    const { issuer, audience } = this.config.auth;
    try {
      return await this.jwt.verifyAsync<Decoded>(token, {
        algorithms: [ALGORITHM],
        issuer,
        audience,
        complete: true,
      });
    } catch (error) {
      throw new AccessTokenError(error instanceof TokenExpiredError ? 'EXPIRED' : 'INVALID', {
        cause: error,
      });
    }
  }
}

function isAccessToken({ typ, crit }: Record<string, unknown>): boolean {
  // Extensions that must be understood are not (RFC 7515, 4.1.11).
  return crit === undefined && TYPES.has(typeof typ === 'string' ? typ.toUpperCase() : typ);
}

function claimsOf(payload: Record<string, unknown>): AccessClaims {
  const { sub, exp, iat, sid } = payload;
  if (typeof sub !== 'string' || !ID.test(sub)) throw new AccessTokenError('INVALID');
  // jsonwebtoken takes a token without `exp` for one that never expires.
  if (!isTime(exp) || (iat !== undefined && !isTime(iat))) throw new AccessTokenError('INVALID');
  if (sid !== undefined && (typeof sid !== 'string' || !ID.test(sid))) throw new AccessTokenError('INVALID');
  return {
    userId: sub,
    expiresAt: exp * 1000,
    issuedAt: iat,
    sessionId: sid,
    profile: {
      name: payload['name'],
      username: payload['preferred_username'] ?? payload['username'],
      picture: payload['picture'],
      role: payload['role'],
    },
  };
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= LAST_SECOND;
}

import { Injectable } from '@nestjs/common';
import { CONNECT_ERRORS } from '../contract/errors.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { SocketAuthenticator } from '../platform/realtime/socket-authenticator.js';
import { type AccessClaims, AccessTokenError, AccessTokens } from './access-tokens.js';
import { Provisioner } from './provisioner.js';
import { type Identity, SessionsRepository } from './sessions.repository.js';

/** Turns an access token into the actor it speaks for, as the database knows them at this moment. For HTTP and sockets alike. */
@Injectable()
export class Authenticator extends SocketAuthenticator {
  constructor(
    private readonly accessTokens: AccessTokens,
    private readonly sessions: SessionsRepository,
    private readonly provisioner: Provisioner,
  ) {
    super();
  }

  async authenticate(token: string | undefined): Promise<Actor> {
    if (!token) throw new AppError('UNAUTHENTICATED', CONNECT_ERRORS.UNAUTHENTICATED);
    const claims = await this.verified(token);
    const known = await this.sessions.identity(claims.userId, claims.sessionId);
    if (!known) return actorOf(await this.provisioned(claims), claims);
    if (isRevoked(known, claims)) throw new AppError('SESSION_REVOKED', 'The session was ended');
    if (known.suspendedAt) throw new AppError('SUSPENDED', 'The account is suspended');
    return actorOf(await this.provisioner.follow(known, claims), claims);
  }

  private async verified(token: string): Promise<AccessClaims> {
    try {
      return await this.accessTokens.verify(token);
    } catch (error) {
      if (!(error instanceof AccessTokenError)) throw error;
      throw error.failure === 'EXPIRED'
        ? new AppError('TOKEN_EXPIRED', CONNECT_ERRORS.TOKEN_EXPIRED, { cause: error })
        : new AppError('UNAUTHENTICATED', CONNECT_ERRORS.INVALID_TOKEN, { cause: error });
    }
  }

  private async provisioned(claims: AccessClaims): Promise<Identity> {
    const made = await this.provisioner.create(claims);
    const identity = made && (await this.sessions.identity(claims.userId, claims.sessionId));
    if (!identity) throw new AppError('UNAUTHENTICATED', CONNECT_ERRORS.USER_NOT_FOUND);
    return identity;
  }
}

/**
 * A token of ours lives and dies with its session. Others are compared by when they were issued, in whole seconds as
 * JWT has it: one from the very second of a logout of all passes, or the next sign-in would fail. One that does not
 * say when it was issued cannot be newer.
 */
function isRevoked(
  { sessionAlive, tokensValidAfter }: Identity,
  { sessionId, issuedAt }: AccessClaims,
): boolean {
  if (sessionId !== undefined) return !sessionAlive;
  if (!tokensValidAfter) return false;
  return issuedAt === undefined || Math.floor(issuedAt) < Math.floor(tokensValidAfter.getTime() / 1000);
}

function actorOf(
  { id, username, name, avatarUrl, role }: Identity,
  { sessionId, expiresAt }: AccessClaims,
): Actor {
  return {
    userId: id,
    username,
    name,
    ...(avatarUrl !== null && { avatarUrl }),
    role,
    ...(sessionId !== undefined && { sessionId }),
    expiresAt,
  };
}

import { Inject, Injectable } from '@nestjs/common';
import { v7 as uuid } from 'uuid';
import { CONNECT_ERRORS } from '../contract/errors.js';
import type { AuthSession } from '../contract/rest.js';
import type { User } from '../contract/views.js';
import type { Config } from '../platform/config/config.js';
import { CONFIG } from '../platform/config/config.module.js';
import { type Transaction, UnitOfWork } from '../platform/database/unit-of-work.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { AccountsService } from '../users/accounts.service.js';
import { AccessTokens } from './access-tokens.js';
import { SessionRevoked, UserTokensRevoked } from './auth.events.js';
import { judge, type RefreshToken, RefreshTokens } from './refresh-tokens.js';
import { SessionsRepository } from './sessions.repository.js';

interface Rotation {
  user: User;
  successor: RefreshToken;
}

/** Sign-ins from the first token to the last: opened, carried on by rotation, ended. */
@Injectable()
export class SessionsService {
  private readonly days: number;

  constructor(
    @Inject(CONFIG) config: Config,
    private readonly accounts: AccountsService,
    private readonly sessions: SessionsRepository,
    private readonly accessTokens: AccessTokens,
    private readonly refreshTokens: RefreshTokens,
    private readonly unitOfWork: UnitOfWork,
  ) {
    this.days = config.auth.refreshTokenDays;
  }

  /** For a user whose password was just checked or chosen. Takes the user before their sessions, as `endAll` does. */
  async open(tx: Transaction, user: User, userAgent: string | null): Promise<AuthSession> {
    await this.accounts.lock(tx, user.id);
    const sessionId = uuid();
    await this.sessions.deleteExpired(tx, user.id);
    await this.sessions.insert(tx, { id: sessionId, userId: user.id, userAgent }, this.days);
    return this.answer(user, { sessionId, generation: 1 });
  }

  async refresh(token: string): Promise<AuthSession> {
    const presented = this.refreshTokens.read(token);
    if (!presented) throw invalid();
    const rotation = await this.unitOfWork.run((tx) => this.rotate(tx, presented));
    // Not thrown in there: it would undo the revocation.
    if (!rotation) throw revoked();
    return this.answer(rotation.user, rotation.successor);
  }

  /** Ends the session of the actor's token. A token of another issuer has none here: it ends with its `exp`, or by `logoutAll`. */
  async logout({ sessionId, userId }: Actor): Promise<void> {
    if (sessionId === undefined) return;
    await this.unitOfWork.run(async (tx) => {
      if (await this.sessions.revoke(tx, sessionId)) tx.raise(new SessionRevoked(sessionId, userId));
    });
  }

  async logoutAll({ userId }: Actor): Promise<void> {
    await this.unitOfWork.run((tx) => this.endAll(tx, userId));
  }

  /** Every sign-in of the user, wherever, and every token of theirs so far; their sockets are closed after COMMIT. */
  async endAll(tx: Transaction, userId: string): Promise<void> {
    await this.accounts.invalidateTokens(tx, userId);
    await this.sessions.revokeAll(tx, userId);
    tx.raise(new UserTokensRevoked(userId));
  }

  /** Nothing when the family was revoked for it. */
  private async rotate(
    tx: Transaction,
    { sessionId, generation }: RefreshToken,
  ): Promise<Rotation | undefined> {
    const userId = await this.sessions.rotate(tx, sessionId, generation, this.days);
    if (userId !== undefined) return this.successor(tx, userId, { sessionId, generation: generation + 1 });
    const state = await this.sessions.state(tx, sessionId);
    if (!state) throw invalid();
    if (state.revoked) throw revoked();
    if (state.expired) throw new AppError('UNAUTHENTICATED', 'The session has expired');
    switch (judge(generation, state.generation, state.rotatedJustNow)) {
      case 'repeated':
        return this.successor(tx, state.userId, { sessionId, generation: state.generation });
      case 'reused':
        if (await this.sessions.revoke(tx, sessionId)) tx.raise(new SessionRevoked(sessionId, state.userId));
        return undefined;
      default:
        throw invalid();
    }
  }

  /** A refusal here takes the rotation back, so that the token still works when the account is resumed. */
  private async successor(tx: Transaction, userId: string, successor: RefreshToken): Promise<Rotation> {
    const user = await this.accounts.find(userId, tx);
    if (!user) throw invalid();
    if (user.suspendedAt) throw new AppError('SUSPENDED', 'The account is suspended');
    return { user: this.accounts.view(user), successor };
  }

  private async answer(user: User, refreshToken: RefreshToken): Promise<AuthSession> {
    const { token, expiresAt } = await this.accessTokens.sign(user, refreshToken.sessionId);
    return {
      user,
      accessToken: token,
      refreshToken: this.refreshTokens.write(refreshToken),
      expiresAt: expiresAt.toISOString(),
    };
  }
}

function invalid(): AppError {
  return new AppError('UNAUTHENTICATED', CONNECT_ERRORS.INVALID_TOKEN);
}

function revoked(): AppError {
  return new AppError('SESSION_REVOKED', 'The session was ended');
}

import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { UserRole } from '../contract/views.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { UserEntity } from '../users/user.entity.js';
import { SessionEntity } from './session.entity.js';

/** Who a token speaks for, and all that could make it void. */
export interface Identity {
  id: string;
  username: string;
  name: string;
  avatarUrl: string | null;
  role: UserRole;
  roleByIssuer: boolean;
  tokensValidAfter: Date | null;
  suspendedAt: Date | null;
  /** Has no password: came with a token of another issuer. */
  foreign: boolean;
  /** The session of the token exists and is not revoked. */
  sessionAlive: boolean;
}

export interface SessionState {
  userId: string;
  generation: number;
  revoked: boolean;
  expired: boolean;
  rotatedJustNow: boolean;
}

interface NewSession {
  id: string;
  userId: string;
  userAgent: string | null;
}

/** A second tab, or a client that lost the answer, has this long to come with the token before. */
const REPEAT_SECONDS = 10;

/** The table `sessions`. Times are compared in the database: instances may disagree about the clock. */
@Injectable()
export class SessionsRepository {
  constructor(@InjectRepository(SessionEntity) private readonly sessions: Repository<SessionEntity>) {}

  /** One query for every request and every handshake. */
  identity(userId: string, sessionId: string | undefined): Promise<Identity | undefined> {
    return this.sessions.manager
      .createQueryBuilder(UserEntity, 'user')
      .leftJoin(SessionEntity, 'session', 'session.id = :sessionId AND session.userId = user.id', {
        sessionId: sessionId ?? '',
      })
      .select('user.id', 'id')
      .addSelect('user.username', 'username')
      .addSelect('user.name', 'name')
      .addSelect('user.avatarUrl', 'avatarUrl')
      .addSelect('user.role', 'role')
      .addSelect('user.roleByIssuer', 'roleByIssuer')
      .addSelect('user.tokensValidAfter', 'tokensValidAfter')
      .addSelect('user.suspendedAt', 'suspendedAt')
      .addSelect('user.passwordHash IS NULL', 'foreign')
      .addSelect('session.id IS NOT NULL AND session.revokedAt IS NULL', 'sessionAlive')
      .where('user.id = :userId', { userId })
      .getRawOne<Identity>();
  }

  async insert(tx: Transaction, { id, userId, userAgent }: NewSession, days: number): Promise<void> {
    await this.table(tx)
      .createQueryBuilder()
      .insert()
      .values({ id, userId, userAgent, expiresAt: () => inDays(days) })
      .execute();
  }

  /**
   * From `generation` to the next one, by exactly one of those who try at once; gives the user.
   * A loser waits for the winner's row, then finds another generation.
   */
  async rotate(tx: Transaction, id: string, generation: number, days: number): Promise<string | undefined> {
    const result = await this.table(tx)
      .createQueryBuilder()
      .update()
      .set({ generation: generation + 1, rotatedAt: () => 'now()', expiresAt: () => inDays(days) })
      .where('id = :id AND generation = :generation', { id, generation })
      .andWhere('revoked_at IS NULL AND expires_at > now()')
      .returning('user_id')
      .execute();
    return (result.raw as { user_id: string }[])[0]?.user_id;
  }

  state(tx: Transaction, id: string): Promise<SessionState | undefined> {
    return this.table(tx)
      .createQueryBuilder('session')
      .select('session.userId', 'userId')
      .addSelect('session.generation', 'generation')
      .addSelect('session.revokedAt IS NOT NULL', 'revoked')
      .addSelect('session.expiresAt <= now()', 'expired')
      .addSelect(`session.rotatedAt > now() - interval '${String(REPEAT_SECONDS)} seconds'`, 'rotatedJustNow')
      .where('session.id = :id', { id })
      .getRawOne<SessionState>();
  }

  /** True when it was alive. */
  async revoke(tx: Transaction, id: string): Promise<boolean> {
    const { affected } = await this.table(tx)
      .createQueryBuilder()
      .update()
      .set({ revokedAt: () => 'now()' })
      .where('id = :id AND revoked_at IS NULL', { id })
      .execute();
    return affected === 1;
  }

  async revokeAll(tx: Transaction, userId: string): Promise<void> {
    await this.table(tx)
      .createQueryBuilder()
      .update()
      .set({ revokedAt: () => 'now()' })
      .where('user_id = :userId AND revoked_at IS NULL', { userId })
      .execute();
  }

  async deleteExpired(tx: Transaction, userId: string): Promise<void> {
    await this.table(tx)
      .createQueryBuilder()
      .delete()
      .where('user_id = :userId AND expires_at <= now()', { userId })
      .execute();
  }

  private table(tx: Transaction): Repository<SessionEntity> {
    return tx.manager.getRepository(SessionEntity);
  }
}

/** `days` comes from the configuration, a whole number. */
function inDays(days: number): string {
  return `now() + interval '${String(days)} days'`;
}

import { Inject, Injectable } from '@nestjs/common';
import type { OnUser, SetUserRole } from '../contract/admin.js';
import type { Page } from '../contract/rest.js';
import { AuditLog } from '../audit/audit-log.service.js';
import type { Config } from '../platform/config/config.js';
import { CONFIG } from '../platform/config/config.module.js';
import { UnitOfWork, type Transaction } from '../platform/database/unit-of-work.js';
import type { Actor } from '../platform/identity/actor.js';
import { assertAdministrator } from '../platform/identity/administrator.js';
import { ActingAdministrator } from './acting-administrator.service.js';
import { cursorOf, keyOf } from './user-cursor.js';
import type { UserEntity } from './user.entity.js';
import { UserRoleChanged, UserSuspended } from './users.events.js';
import { accountView, type Account } from './user.view.js';
import { assertNotLastAdministrator, assertNotOneself, assertOwnRole } from './users.policy.js';
import { UsersRepository } from './users.repository.js';

export interface ListAccounts {
  query?: string;
  suspended?: boolean;
  cursor?: string;
  limit?: number;
}

const PAGE = 50;

/** What administrators do to the accounts of others. Each act is one transaction with its audit entry; one that is done already changes nothing. */
@Injectable()
export class UserAdministration {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly users: UsersRepository,
    private readonly acting: ActingAdministrator,
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
  ) {}

  /** From here on every request, sign-in and handshake of the user is refused with SUSPENDED. Sign-ins are kept for later. */
  async suspend(actor: Actor, { userId, reason }: OnUser): Promise<void> {
    assertAdministrator(actor);
    assertNotOneself(actor, userId);
    await this.unitOfWork.run(async (tx) => {
      const { user, otherAdministrators } = await this.locked(tx, actor, userId);
      if (user.suspendedAt) return;
      assertNotLastAdministrator(user, otherAdministrators);
      const suspendedAt = await this.users.suspend(tx, userId);
      tx.raise(new UserSuspended(userId));
      await this.audit.append(tx, actor, {
        act: 'user.suspend',
        target: { type: 'user', id: userId },
        reason,
        before: { suspendedAt: null },
        after: { suspendedAt },
      });
    });
  }

  async resume(actor: Actor, { userId, reason }: OnUser): Promise<void> {
    assertAdministrator(actor);
    await this.unitOfWork.run(async (tx) => {
      const user = await this.acting.over(tx, actor, userId);
      if (!user.suspendedAt) return;
      await this.users.resume(tx, userId);
      await this.audit.append(tx, actor, {
        act: 'user.resume',
        target: { type: 'user', id: userId },
        reason,
        before: { suspendedAt: user.suspendedAt },
        after: { suspendedAt: null },
      });
    });
  }

  /** Also one's own, unless nobody would be left. Not of those whose tokens say it: the next one would take it back. */
  async setRole(actor: Actor, { userId, role, reason }: SetUserRole): Promise<void> {
    assertAdministrator(actor);
    await this.unitOfWork.run(async (tx) => {
      const { user, otherAdministrators } = await this.locked(tx, actor, userId);
      if (user.role === role) return;
      if (this.config.auth.provisioning === 'jit') assertOwnRole(user);
      assertNotLastAdministrator(user, otherAdministrators);
      await this.users.update(tx, userId, { role });
      tx.raise(new UserRoleChanged(userId, role));
      await this.audit.append(tx, actor, {
        act: 'user.role',
        target: { type: 'user', id: userId },
        reason,
        before: { role: user.role },
        after: { role },
      });
    });
  }

  /** Everybody, by username: with role and suspension. */
  async list(
    actor: Actor,
    { query = '', suspended, cursor, limit = PAGE }: ListAccounts,
  ): Promise<Page<Account>> {
    assertAdministrator(actor);
    const after = cursor === undefined ? undefined : keyOf(cursor);
    const found = await this.users.search({ prefix: query.trim(), suspended, after }, limit + 1);
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const hasMore = found.length > limit;
    return {
      data: page.map(accountView),
      ...(hasMore && last && { cursor: cursorOf(last.usernameKey) }),
      hasMore,
    };
  }

  private async locked(
    tx: Transaction,
    actor: Actor,
    userId: string,
  ): Promise<{ user: UserEntity; otherAdministrators: number }> {
    const user = await this.acting.over(tx, actor, userId);
    return { user, otherAdministrators: await this.users.countActiveAdministratorsBut(tx, userId) };
  }
}

import { Injectable } from '@nestjs/common';
import type { User } from '../contract/views.js';
import { AuditLog } from '../audit/audit-log.service.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import type { UserEntity } from './user.entity.js';
import { UserRoleChanged } from './users.events.js';
import { userView } from './user.view.js';
import { type ProfileChanges, type UserRow, UsersRepository } from './users.repository.js';

export type NewAccount = UserRow;

type Profile = Pick<UserEntity, 'id' | 'name' | 'avatarUrl' | 'role' | 'roleByIssuer'>;

/** The accounts as `auth` needs them: it runs before there is an actor, so nothing here asks who acts. */
@Injectable()
export class AccountsService {
  constructor(
    private readonly users: UsersRepository,
    private readonly audit: AuditLog,
  ) {}

  find(id: string, tx?: Transaction): Promise<UserEntity | null> {
    return this.users.find(id, tx);
  }

  /** Waits for whoever changes the account, and keeps others waiting until the transaction ends. */
  lock(tx: Transaction, id: string): Promise<UserEntity | null> {
    return this.users.lock(tx, id);
  }

  view(user: UserEntity): User {
    return userView(user);
  }

  /** With `passwordHash` loaded. */
  findForSignIn(username: string): Promise<UserEntity | null> {
    return this.users.findForSignIn(username);
  }

  /** Nothing when the id or the username is taken. */
  async create(tx: Transaction, account: NewAccount): Promise<UserEntity | null> {
    return (await this.users.insert(tx, account)) ? this.users.find(account.id, tx) : null;
  }

  /** Follows what another issuer says about its user. Two tokens that say the same at once change a role once. */
  async change<P extends Profile>(tx: Transaction, user: P, changes: ProfileChanges): Promise<P> {
    const before = (await this.users.lock(tx, user.id))?.role;
    await this.users.update(tx, user.id, changes);
    if (changes.role !== undefined && before !== undefined && changes.role !== before) {
      tx.raise(new UserRoleChanged(user.id, changes.role));
      await this.audit.append(tx, null, {
        act: 'user.role',
        target: { type: 'user', id: user.id },
        reason: 'A token of their issuer says so',
        before: { role: before },
        after: { role: changes.role },
      });
    }
    return { ...user, ...changes };
  }

  /** From now on tokens without a session that were issued earlier are refused. */
  invalidateTokens(tx: Transaction, userId: string): Promise<void> {
    return this.users.invalidateTokens(tx, userId);
  }

  /** Whether there ever was one, also when nobody is left. */
  administratorWasMade(): Promise<boolean> {
    return this.users.administratorWasMade();
  }

  /** Like `create`, but at most once: `'exists'` when there ever was an administrator, also one that was made at the same time. */
  async createFirstAdministrator(
    tx: Transaction,
    account: Omit<NewAccount, 'role'>,
  ): Promise<UserEntity | 'exists' | null> {
    await this.users.lockAdministrators(tx);
    if (await this.users.administratorWasMade(tx)) return 'exists';
    return this.create(tx, { ...account, role: 'admin' });
  }
}

import { Injectable } from '@nestjs/common';
import type { User } from '../contract/views.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import type { UserEntity } from './user.entity.js';
import { UserRoleChanged } from './users.events.js';
import { userView } from './user.view.js';
import { type ProfileChanges, type UserRow, UsersRepository } from './users.repository.js';

export type NewAccount = UserRow;

type Profile = Pick<UserEntity, 'id' | 'name' | 'avatarUrl' | 'role'>;

/** The accounts as `auth` needs them: it runs before there is an actor, so nothing here asks who acts. */
@Injectable()
export class AccountsService {
  constructor(private readonly users: UsersRepository) {}

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

  /** Follows what another issuer says about its user. */
  async change<P extends Profile>(tx: Transaction, user: P, changes: ProfileChanges): Promise<P> {
    await this.users.update(tx, user.id, changes);
    if (changes.role !== undefined) tx.raise(new UserRoleChanged(user.id, changes.role));
    return { ...user, ...changes };
  }

  /** From now on tokens without a session that were issued earlier are refused. */
  invalidateTokens(tx: Transaction, userId: string): Promise<void> {
    return this.users.invalidateTokens(tx, userId);
  }

  administratorExists(): Promise<boolean> {
    return this.users.administratorExists();
  }

  /** Like `create`, but at most once: `'exists'` when there is an administrator, also one that was made at the same time. */
  async createFirstAdministrator(
    tx: Transaction,
    account: Omit<NewAccount, 'role'>,
  ): Promise<UserEntity | 'exists' | null> {
    await this.users.lockAdministrators(tx);
    if (await this.users.administratorExists(tx)) return 'exists';
    return this.create(tx, { ...account, role: 'admin' });
  }
}

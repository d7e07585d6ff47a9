import { Injectable } from '@nestjs/common';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { assertAdministrator } from '../platform/identity/administrator.js';
import type { UserEntity } from './user.entity.js';
import { userNotFound } from './users.policy.js';
import { UsersRepository } from './users.repository.js';

/**
 * Whether who acts is an administrator at the moment of the act. `assertAdministrator` asks what the request began
 * with; whoever was suspended or demoted while the request waited for a lock must not act any more.
 */
@Injectable()
export class ActingAdministrator {
  constructor(private readonly users: UsersRepository) {}

  /**
   * Until the transaction ends nobody suspends or demotes the actor. Comes before the locks of rooms, members and
   * messages: whoever changes a user never waits for one of those.
   */
  async assert(tx: Transaction, actor: Actor): Promise<void> {
    const current = await this.users.share(tx, actor.userId);
    if (current?.suspendedAt) throw new AppError('SUSPENDED', 'The account is suspended');
    assertAdministrator({ role: current?.role ?? 'user' });
  }

  /**
   * For an act on the account of somebody, which is locked and given. One such act at a time: two administrators
   * who act on each other neither both succeed nor wait for each other for ever.
   */
  async over(tx: Transaction, actor: Actor, userId: string): Promise<UserEntity> {
    await this.users.lockAdministrators(tx);
    await this.assert(tx, actor);
    const user = await this.users.lock(tx, userId);
    if (!user) throw userNotFound();
    return user;
  }
}

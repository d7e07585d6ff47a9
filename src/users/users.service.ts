import { Injectable } from '@nestjs/common';
import type { Page } from '../contract/rest.js';
import type { User } from '../contract/views.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { cursorOf, keyOf } from './user-cursor.js';
import { actorView, userSummary, type UserSummary, userView } from './user.view.js';
import { UsersRepository } from './users.repository.js';

export interface UpdateMe {
  name?: string;
  avatarUrl?: string | null;
}

export interface SearchUsers {
  query?: string;
  cursor?: string;
  limit?: number;
}

const PAGE = 50;

/** The own profile, and finding other people. */
@Injectable()
export class UsersService {
  constructor(
    private readonly users: UsersRepository,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** The actor was read from the table for this very request. */
  me(actor: Actor): User {
    return actorView(actor);
  }

  updateMe(actor: Actor, { name, avatarUrl }: UpdateMe): Promise<User> {
    const changes = { ...(name !== undefined && { name }), ...(avatarUrl !== undefined && { avatarUrl }) };
    return this.unitOfWork.run(async (tx) => {
      if (Object.keys(changes).length > 0) await this.users.update(tx, actor.userId, changes);
      const user = await this.users.find(actor.userId, tx);
      if (!user) throw new AppError('NOT_FOUND', 'User not found');
      return userView(user);
    });
  }

  /** Everybody who is signed in may find everybody who is not suspended. */
  async search(_actor: Actor, { query = '', cursor, limit = PAGE }: SearchUsers): Promise<Page<UserSummary>> {
    const after = cursor === undefined ? undefined : keyOf(cursor);
    const found = await this.users.search({ prefix: query.trim(), suspended: false, after }, limit + 1);
    const hasMore = found.length > limit;
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return {
      data: page.map(userSummary),
      ...(hasMore && last && { cursor: cursorOf(last.usernameKey) }),
      hasMore,
    };
  }
}

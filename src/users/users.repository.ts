import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, Not, Repository } from 'typeorm';
import type { UserRole } from '../contract/views.js';
import { ADVISORY_LOCKS } from '../platform/database/advisory-locks.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { SetupEntity } from './setup.entity.js';
import { UserEntity } from './user.entity.js';

export interface UserRow {
  id: string;
  username: string;
  name: string;
  avatarUrl: string | null;
  role: UserRole;
  roleByIssuer?: boolean;
  passwordHash: string | null;
}

export interface ProfileChanges {
  name?: string;
  avatarUrl?: string | null;
  role?: UserRole;
  roleByIssuer?: boolean;
}

export interface UserFilter {
  /** How the username or the name starts; everybody when empty. */
  prefix: string;
  /** Only suspended ones, or only others; all when absent. */
  suspended: boolean | undefined;
  /** The username key to go on from. */
  after: string | undefined;
}

/** The tables `users` and `setup`. */
@Injectable()
export class UsersRepository {
  constructor(@InjectRepository(UserEntity) private readonly users: Repository<UserEntity>) {}

  find(id: string, tx?: Transaction): Promise<UserEntity | null> {
    return this.table(tx).findOneBy({ id });
  }

  /** With the password hash, which no other query reads. */
  findForSignIn(username: string): Promise<UserEntity | null> {
    return this.users
      .createQueryBuilder('user')
      .addSelect('user.passwordHash')
      .where('user.usernameKey = :key', { key: usernameKey(username) })
      .getOne();
  }

  /** False, and nothing written, when the id or the username is taken; the transaction stays usable. */
  async insert(tx: Transaction, row: UserRow): Promise<boolean> {
    const result = await this.table(tx)
      .createQueryBuilder()
      .insert()
      .values({ ...row, usernameKey: usernameKey(row.username) })
      .orIgnore()
      .returning('id')
      .execute();
    const inserted = (result.raw as unknown[]).length === 1;
    if (inserted && row.role === 'admin') await this.noteAdministrator(tx);
    return inserted;
  }

  async update(tx: Transaction, id: string, changes: ProfileChanges): Promise<void> {
    await this.table(tx).update({ id }, changes);
    if (changes.role === 'admin') await this.noteAdministrator(tx);
  }

  async invalidateTokens(tx: Transaction, id: string): Promise<void> {
    await this.table(tx).update({ id }, { tokensValidAfter: () => 'now()' });
  }

  /**
   * Waits for the row, and keeps it until the transaction ends. Rows that refer to the user may still be written, or
   * who holds one of those and waits for this would be waited for in turn.
   */
  lock(tx: Transaction, id: string): Promise<UserEntity | null> {
    return this.table(tx).findOne({ where: { id }, lock: { mode: 'for_no_key_update' } });
  }

  /** As it is, and as it stays until the transaction ends. */
  share(tx: Transaction, id: string): Promise<UserEntity | null> {
    return this.table(tx).findOne({ where: { id }, lock: { mode: 'pessimistic_read' } });
  }

  /** By the clock of the database; gives the time. */
  async suspend(tx: Transaction, id: string): Promise<Date> {
    const result = await this.table(tx)
      .createQueryBuilder()
      .update()
      .set({ suspendedAt: () => 'now()' })
      .where('id = :id', { id })
      .returning('suspended_at')
      .execute();
    const [row] = result.raw as { suspended_at: Date }[];
    if (!row) throw new Error('A locked user is gone');
    return row.suspended_at;
  }

  async resume(tx: Transaction, id: string): Promise<void> {
    await this.table(tx).update({ id }, { suspendedAt: null });
  }

  /** In the order of their usernames. */
  search({ prefix, suspended, after }: UserFilter, limit: number): Promise<UserEntity[]> {
    const query = this.users.createQueryBuilder('user').where('true');
    if (suspended !== undefined) query.andWhere(`user.suspendedAt IS ${suspended ? 'NOT NULL' : 'NULL'}`);
    if (prefix !== '')
      query.andWhere('(user.usernameKey LIKE :key OR lower(user.name) LIKE lower(:name))', {
        key: startingWith(usernameKey(prefix)),
        name: startingWith(prefix),
      });
    if (after !== undefined) query.andWhere('user.usernameKey > :after', { after });
    return query.orderBy('user.usernameKey').limit(limit).getMany();
  }

  /** Those who can sign in. */
  countActiveAdministratorsBut(tx: Transaction, id: string): Promise<number> {
    return this.table(tx).countBy({ role: 'admin', suspendedAt: IsNull(), id: Not(id) });
  }

  /** Whether there ever was one, also when nobody is left. */
  administratorWasMade(tx?: Transaction): Promise<boolean> {
    return (tx?.manager ?? this.users.manager).exists(SetupEntity);
  }

  /** Whoever makes the first administrator or acts on accounts waits in line here, until the transaction ends. */
  async lockAdministrators(tx: Transaction): Promise<void> {
    await tx.manager.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.administrators]);
  }

  private async noteAdministrator(tx: Transaction): Promise<void> {
    await tx.manager.query('INSERT INTO setup DEFAULT VALUES ON CONFLICT DO NOTHING');
  }

  private table(tx: Transaction | undefined): Repository<UserEntity> {
    return tx ? tx.manager.getRepository(UserEntity) : this.users;
  }
}

function usernameKey(username: string): string {
  return username.toLowerCase();
}

/** `_` is common in usernames and must not mean "any character". */
function startingWith(prefix: string): string {
  return `${prefix.replace(/[\\%_]/g, '\\$&')}%`;
}

import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { v7 as uuid } from 'uuid';
import type { User, UserRole } from '../contract/views.js';
import type { Config } from '../platform/config/config.js';
import { CONFIG } from '../platform/config/config.module.js';
import { SECRETS, type Secrets } from '../platform/config/secrets.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { AppError } from '../platform/errors/app-error.js';
import { AccountsService } from '../users/accounts.service.js';
import { checkedCredentials, type Credentials } from './credentials.js';
import { derivedKey, mac, sameMac } from '../platform/config/derived-key.js';
import { Passwords } from './passwords.js';

/** How an installation gets its first administrator: from the environment, from a link that works once, or from the command line. */
@Injectable()
export class Administrator implements OnApplicationBootstrap {
  private readonly logger = new Logger(Administrator.name);
  private readonly token: string;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(SECRETS) secrets: Secrets,
    private readonly accounts: AccountsService,
    private readonly passwords: Passwords,
    private readonly unitOfWork: UnitOfWork,
  ) {
    // Not stored: every instance knows it, and it stays the same until it has been used.
    this.token = mac(derivedKey(secrets, 'setup'), 'setup');
  }

  /** `ADMIN_USERNAME` and `ADMIN_PASSWORD` count at the first start only; several instances may start at once. */
  async onApplicationBootstrap(): Promise<void> {
    const { admin } = this.config.auth;
    if (!admin || (await this.accounts.administratorWasMade())) return;
    try {
      const made = await this.createFirst(checkedCredentials(admin.username, admin.password));
      if (made) this.logger.log(`Administrator ${made.username} was created from ADMIN_USERNAME`);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const problems = error.details?.map(({ path, problem }) => `${path} ${problem}`) ?? [error.message];
      this.logger.error(`ADMIN_USERNAME and ADMIN_PASSWORD make no administrator: ${problems.join('; ')}`);
    }
  }

  /** Path and query of the one-time link, for the banner; nothing once there was an administrator. */
  async setupLink(): Promise<string | undefined> {
    return (await this.accounts.administratorWasMade()) ? undefined : `/setup?token=${this.token}`;
  }

  /** Whether the token of a link opens the form at this moment. */
  async admits(token: unknown): Promise<boolean> {
    return (
      typeof token === 'string' && sameMac(token, this.token) && !(await this.accounts.administratorWasMade())
    );
  }

  /** Nothing when there ever was one, also one that was made at the same time. */
  async createFirst({ username, password }: Credentials): Promise<User | undefined> {
    const account = await this.account({ username, password });
    const made = await this.unitOfWork.run((tx) => this.accounts.createFirstAdministrator(tx, account));
    return made === 'exists' ? undefined : this.created(made);
  }

  /** For the command line, whose user holds the database anyway. */
  async createUser({ username, password, role }: Credentials & { role: UserRole }): Promise<User> {
    const account = await this.account(checkedCredentials(username, password));
    return this.created(await this.unitOfWork.run((tx) => this.accounts.create(tx, { ...account, role })));
  }

  private async account({ username, password }: Credentials) {
    const passwordHash = await this.passwords.hash(password);
    return { id: uuid(), username, name: username, avatarUrl: null, passwordHash };
  }

  private created(user: Awaited<ReturnType<AccountsService['create']>>): User {
    if (!user) throw new AppError('CONFLICT', 'The username is taken');
    return this.accounts.view(user);
  }
}

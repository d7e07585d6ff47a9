import { Inject, Injectable } from '@nestjs/common';
import { v7 as uuid } from 'uuid';
import type { AuthSession } from '../contract/rest.js';
import type { Config } from '../platform/config/config.js';
import { CONFIG } from '../platform/config/config.module.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { AppError } from '../platform/errors/app-error.js';
import { Throttle } from '../platform/throttling/throttle.js';
import { AccountsService } from '../users/accounts.service.js';
import type { Caller } from './caller.js';
import type { Credentials } from './credentials.js';
import { Passwords } from './passwords.js';
import { SessionsService } from './sessions.service.js';

export interface Registration extends Credentials {
  name?: string;
}

/** The ways in for people who are not signed in: limited by address first, so that nothing costs more than a counter. */
@Injectable()
export class AuthService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly accounts: AccountsService,
    private readonly sessions: SessionsService,
    private readonly passwords: Passwords,
    private readonly throttle: Throttle,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  async register(
    caller: Caller,
    { username, password, name = username }: Registration,
  ): Promise<AuthSession> {
    await this.throttle.check('logins', `register:${caller.address}`, caller.tellQuota);
    if (this.config.auth.registration === 'off') throw new AppError('FORBIDDEN', 'Registration is closed');
    const passwordHash = await this.passwords.hash(password);
    return this.unitOfWork.run(async (tx) => {
      const account = { id: uuid(), username, name, avatarUrl: null, role: 'user' as const, passwordHash };
      const user = await this.accounts.create(tx, account);
      if (!user) throw new AppError('CONFLICT', 'The username is taken');
      return this.sessions.open(tx, this.accounts.view(user), caller.userAgent);
    });
  }

  /** Tells nobody, neither by words nor by time, whether the username exists. */
  async login(caller: Caller, { username, password }: Credentials): Promise<AuthSession> {
    await this.throttle.check('logins', `address:${caller.address}`, caller.tellQuota);
    await this.throttle.check('logins', `account:${username.toLowerCase()}`, caller.tellQuota);
    const user = await this.accounts.findForSignIn(username);
    const matches = await this.passwords.verify(user?.passwordHash, password);
    if (!user || !matches) throw new AppError('UNAUTHENTICATED', 'Wrong username or password');
    if (user.suspendedAt) throw new AppError('SUSPENDED', 'The account is suspended');
    return this.unitOfWork.run((tx) => this.sessions.open(tx, this.accounts.view(user), caller.userAgent));
  }

  async refresh(caller: Caller, { refreshToken }: { refreshToken: string }): Promise<AuthSession> {
    await this.throttle.check('refreshes', caller.address, caller.tellQuota);
    return this.sessions.refresh(refreshToken);
  }
}

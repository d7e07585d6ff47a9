import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { UserRole } from '../contract/views.js';
import type { Config } from '../platform/config/config.js';
import { CONFIG } from '../platform/config/config.module.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { isLine } from '../platform/validation/is-line.decorator.js';
import { AccountsService } from '../users/accounts.service.js';
import type { AccessClaims } from './access-tokens.js';
import type { Identity } from './sessions.repository.js';

interface Changes {
  name?: string;
  avatarUrl?: string;
  role?: UserRole;
  roleByIssuer?: boolean;
}

/**
 * `AUTH_PROVISIONING=jit`: users of another issuer, made from their tokens at the first sight and kept as the tokens
 * say. Tokens with a session are ours and never make a user, or one who was erased would rise again.
 */
@Injectable()
export class Provisioner {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly accounts: AccountsService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** False when tokens do not make users here. Two first tokens at once make one user. */
  async create(claims: AccessClaims): Promise<boolean> {
    if (!this.provisions(claims)) return false;
    const { userId: id, profile } = claims;
    const wanted = usernameOf(profile.username) ?? id;
    const { name = wanted, avatarUrl = null, role = 'user', roleByIssuer } = told(claims);
    await this.unitOfWork.run(async (tx) => {
      // Somebody may hold the name, and even have registered the sub as a name; the third try cannot be guessed.
      for (const username of [wanted, id, `${id}-${randomBytes(4).toString('hex')}`]) {
        const account = { id, username, name, avatarUrl, role, roleByIssuer, passwordHash: null };
        if (await this.accounts.create(tx, account)) return;
        if (await this.accounts.find(id, tx)) return;
      }
    });
    return true;
  }

  /** Writes only when the token tells something new; what it does not mention stays. Local accounts keep what they chose. */
  async follow(identity: Identity, claims: AccessClaims): Promise<Identity> {
    if (!identity.foreign || !this.provisions(claims)) return identity;
    const { name, avatarUrl, role, roleByIssuer } = told(claims);
    const changes: Changes = {
      ...(name !== undefined && name !== identity.name && { name }),
      ...(avatarUrl !== undefined && avatarUrl !== identity.avatarUrl && { avatarUrl }),
      ...(role !== undefined && role !== identity.role && { role }),
      ...(roleByIssuer !== identity.roleByIssuer && { roleByIssuer }),
    };
    if (Object.keys(changes).length === 0) return identity;
    return this.unitOfWork.run((tx) => this.accounts.change(tx, identity, changes));
  }

  private provisions({ sessionId }: AccessClaims): boolean {
    return this.config.auth.provisioning === 'jit' && sessionId === undefined;
  }
}

/** What the claims say that is fit to be shown; the rest is as if it were not there. */
function told({ profile }: AccessClaims): Changes & { roleByIssuer: boolean } {
  const name = typeof profile.name === 'string' ? profile.name.trim() : undefined;
  return {
    ...(isLine(name, 100) && { name }),
    ...(isPicture(profile.picture) && { avatarUrl: profile.picture }),
    // Only the exact word makes an administrator.
    ...(typeof profile.role === 'string' && {
      role: profile.role === 'admin' ? ('admin' as const) : ('user' as const),
    }),
    roleByIssuer: typeof profile.role === 'string',
  };
}

/** Printable ASCII, so that no two usernames look the same. */
function usernameOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\x21-\x7e]{1,64}$/.test(value) ? value : undefined;
}

function isPicture(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > 2048 || !URL.canParse(value)) return false;
  return /^https?:$/.test(new URL(value).protocol) && isLine(value, 2048);
}

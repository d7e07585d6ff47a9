import { Inject, Injectable } from '@nestjs/common';
import type { Config } from '../platform/config/config.js';
import { CONFIG } from '../platform/config/config.module.js';
import { derivedKey, mac, sameMac } from '../platform/config/derived-key.js';
import { SECRETS, type Secrets } from '../platform/config/secrets.js';
import type { EmailAddressEntity } from './email-address.entity.js';

type LinkPurpose = 'confirm' | 'unsubscribe';
/** What a link is about: it is of no use for another address, or after the address was asked for anew. */
export type Linked = Pick<EmailAddressEntity, 'userId' | 'address' | 'requestedAt'>;

const LONGEST_TOKEN = 1024;

/** The links in mails. Whoever holds one got the mail: it is the authorisation, and nothing of it is stored. */
@Injectable()
export class EmailLinks {
  private readonly key: Buffer;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(SECRETS) secrets: Secrets,
  ) {
    this.key = derivedKey(secrets, 'e-mail links');
  }

  url(purpose: LinkPurpose, linked: Linked): string {
    const token = `${Buffer.from(linked.userId).toString('base64url')}.${this.sign(purpose, linked)}`;
    return `${this.config.delivery.email?.links ?? ''}/email/${purpose}?token=${token}`;
  }

  /** Whom the token is about, if it is genuine. */
  userIdOf(token: unknown): string | undefined {
    if (typeof token !== 'string' || token.length > LONGEST_TOKEN) return undefined;
    const userId = Buffer.from(token.split('.', 1)[0] ?? '', 'base64url').toString();
    // Postgres takes no NUL.
    return userId === '' || userId.includes('\0') ? undefined : userId;
  }

  isGenuine(token: unknown, purpose: LinkPurpose, linked: Linked): boolean {
    return typeof token === 'string' && sameMac(token.split('.')[1] ?? '', this.sign(purpose, linked));
  }

  private sign(purpose: LinkPurpose, { userId, address, requestedAt }: Linked): string {
    return mac(this.key, JSON.stringify([purpose, userId, address, requestedAt.toISOString()]));
  }
}

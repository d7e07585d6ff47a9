import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { EmailSetting, SetEmail } from '../contract/rest.js';
import type { Config } from '../platform/config/config.js';
import { CONFIG } from '../platform/config/config.module.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { Jobs } from '../platform/jobs/jobs.js';
import { Throttle } from '../platform/throttling/throttle.js';
import { EmailAddressesRepository } from './email-addresses.repository.js';
import { EmailMails } from './email-mails.js';

const CONFIRMATION = 'email-confirmation';
/** With the default wait the last of them comes within an hour: a link that comes much later is of no use. */
const RETRIES = 5;

/** The address a user gets the digest at. Nothing but the question whether it is theirs is sent there before they say so. */
@Injectable()
export class EmailAddressesService implements OnModuleInit {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly addresses: EmailAddressesRepository,
    private readonly mails: EmailMails,
    private readonly jobs: Jobs,
    private readonly throttle: Throttle,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  onModuleInit(): void {
    const options = { retries: RETRIES, firstRetrySeconds: this.config.delivery.retrySeconds };
    this.jobs.handle<{ userId: string }>(CONFIRMATION, options, ({ userId }) => this.ask(userId));
  }

  async get({ userId }: Actor): Promise<EmailSetting> {
    const row = await this.addresses.find(userId);
    return {
      available: this.config.delivery.email !== undefined,
      ...(row && { address: row.address }),
      confirmed: row !== null && row.confirmedAt !== null,
    };
  }

  /** Sends a mail with a link, unless the address is the confirmed one. Until it is confirmed nothing is told by e-mail. */
  async set(actor: Actor, { address }: SetEmail): Promise<EmailSetting> {
    if (!this.config.delivery.email) throw new AppError('FORBIDDEN', 'This server sends no e-mail');
    const { userId } = actor;
    const current = await this.addresses.find(userId);
    if (current?.confirmedAt && current.address === address) return this.get(actor);
    // Neither of one user to many strangers, nor of many users to one.
    await this.throttle.check('confirmations', `user:${userId}`);
    await this.throttle.check('confirmations', `address:${mailboxOf(address)}`);
    await this.unitOfWork.run(async (tx) => {
      await this.addresses.request(tx, userId, address);
      await this.jobs.add(tx, CONFIRMATION, { userId }, { key: userId });
    });
    return this.get(actor);
  }

  async remove({ userId }: Actor): Promise<void> {
    await this.unitOfWork.run((tx) => this.addresses.remove(tx, userId));
  }

  /** As it is by now: the user may have named another address, or said that this is theirs. */
  private async ask(userId: string): Promise<void> {
    const row = await this.addresses.find(userId);
    if (row && !row.confirmedAt) await this.mails.confirmation(row);
  }
}

/** One mailbox under any of its spellings: in any case, and with any tag behind a plus sign. */
function mailboxOf(address: string): string {
  return address.normalize('NFKC').toLowerCase().replace(/\+.*@/, '@');
}

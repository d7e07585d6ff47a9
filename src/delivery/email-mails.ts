import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { Config } from '../platform/config/config.js';
import { CONFIG } from '../platform/config/config.module.js';
import { Metrics } from '../platform/metrics/metrics.js';
import type { Digest } from './deliverables.js';
import type { DigestAddress } from './email-addresses.repository.js';
import { EmailLinks, type Linked } from './email-links.js';
import { confirmationText, digestText } from './email-text.js';
import { Mailer, type Mail } from './mailer.js';

/** The two mails there are. */
@Injectable()
export class EmailMails {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly links: EmailLinks,
    private readonly mailer: Mailer,
    private readonly metrics: Metrics,
  ) {}

  async confirmation(linked: Linked): Promise<void> {
    await this.send({
      to: linked.address,
      ...confirmationText(this.links.url('confirm', linked)),
      messageId: idOf('confirm', linked.userId, linked.requestedAt),
    });
  }

  async digest(address: DigestAddress, digest: Digest): Promise<void> {
    const unsubscribe = this.links.url('unsubscribe', address);
    const home = this.config.delivery.email?.links ?? '';
    await this.send({
      to: address.address,
      ...digestText(digest, { home, unsubscribe }),
      // A mail that is sent once more, because its first hand-over was not written, is the same mail.
      messageId: idOf('digest', address.userId, address.since),
      // One click in the mailbox, RFC 8058.
      headers: {
        'List-Unsubscribe': `<${unsubscribe}>`,
        'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
        'Auto-Submitted': 'auto-generated',
      },
    });
  }

  private async send(mail: Mail): Promise<void> {
    try {
      await this.mailer.send(mail);
      this.metrics.emailed('sent');
    } catch (error) {
      this.metrics.emailed('failed');
      throw error;
    }
  }
}

function idOf(kind: string, userId: string, at: Date): string {
  return createHash('sha256')
    .update(JSON.stringify([kind, userId, at.toISOString()]))
    .digest('hex')
    .slice(0, 40);
}

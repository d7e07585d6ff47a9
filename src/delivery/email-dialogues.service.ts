import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import type { Page } from '../platform/pages/page.js';
import type { EmailAddressEntity } from './email-address.entity.js';
import { EmailAddressesRepository } from './email-addresses.repository.js';
import { EmailLinks } from './email-links.js';
import {
  confirmedPage,
  confirmPage,
  notValidPage,
  unsubscribedPage,
  unsubscribePage,
} from './email.pages.js';

/**
 * What the links in mails lead to. The token is the authorisation. Opening a link changes nothing, for scanners of mail
 * servers open every one of them; the button does.
 */
@Injectable()
export class EmailDialogues {
  constructor(
    private readonly addresses: EmailAddressesRepository,
    private readonly links: EmailLinks,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  async openConfirm(token: unknown): Promise<Page> {
    const row = await this.find(token, 'confirm');
    return row && (await this.addresses.isOpen(row)) ? confirmPage(row.address) : notValidPage();
  }

  async confirm(token: unknown): Promise<Page> {
    const row = await this.find(token, 'confirm');
    if (!row) return notValidPage();
    const confirmed = await this.unitOfWork.run((tx) => this.addresses.confirm(tx, row));
    return confirmed ? confirmedPage(row.address) : notValidPage();
  }

  async openUnsubscribe(token: unknown): Promise<Page> {
    const row = await this.find(token, 'unsubscribe');
    return row ? unsubscribePage(row.address) : notValidPage();
  }

  /** Also what a mailbox sends by itself at one click, RFC 8058. */
  async unsubscribe(token: unknown): Promise<Page> {
    const row = await this.find(token, 'unsubscribe');
    if (!row) return notValidPage();
    await this.unitOfWork.run((tx) => this.addresses.removeExactly(tx, row));
    return unsubscribedPage();
  }

  private async find(
    token: unknown,
    purpose: 'confirm' | 'unsubscribe',
  ): Promise<EmailAddressEntity | undefined> {
    const userId = this.links.userIdOf(token);
    const row = userId === undefined ? null : await this.addresses.find(userId);
    return row && this.links.isGenuine(token, purpose, row) ? row : undefined;
  }
}

import { Inject, Injectable } from '@nestjs/common';
import { createTransport, type Transporter } from 'nodemailer';
import type { Config } from '../platform/config/config.js';
import { CONFIG } from '../platform/config/config.module.js';
import { PermanentFailure } from '../platform/jobs/permanent-failure.js';

export interface Mail {
  to: string;
  subject: string;
  text: string;
  html: string;
  /** The same mail sent twice carries the same, so that a mailbox can see that it is one. */
  messageId: string;
  headers?: Record<string, string>;
}

const TIMEOUT_MS = 15_000;

/** The way to the mail server, if there is one. */
@Injectable()
export class Mailer {
  private readonly from: string | undefined;
  private readonly transport: Transporter | undefined;

  constructor(@Inject(CONFIG) { delivery: { email } }: Config) {
    this.from = email?.from;
    this.transport =
      email &&
      createTransport({
        url: email.smtpUrl,
        connectionTimeout: TIMEOUT_MS,
        greetingTimeout: TIMEOUT_MS,
        socketTimeout: TIMEOUT_MS,
        disableFileAccess: true,
        disableUrlAccess: true,
      });
  }

  /** Throws what is worth another attempt, or a `PermanentFailure`. */
  async send({ to, subject, messageId, ...mail }: Mail): Promise<void> {
    if (!this.transport) throw new PermanentFailure('This server sends no e-mail');
    try {
      await this.transport.sendMail({
        ...mail,
        from: this.from,
        // An object is one address, whatever stands in it; text would be read as a list.
        to: { name: '', address: to },
        subject: inOneLine(subject),
        messageId: `<${messageId}@parley>`,
      });
    } catch (error) {
      throw withoutAddresses(error);
    }
  }
}

function inOneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').slice(0, 200);
}

/** Dead jobs are shown, and what mail servers say quotes addresses. */
function withoutAddresses(error: unknown): Error {
  const { code, responseCode } = error as { code?: unknown; responseCode?: unknown };
  const refused = typeof responseCode === 'number' && responseCode >= 500;
  // A wrong password is the operator's to mend, and mending it lets the mail out.
  if (refused && code !== 'EAUTH')
    return new PermanentFailure(`The mail server refused the mail with ${String(responseCode)}`);
  return new Error(`The mail could not be handed over: ${String(responseCode ?? code)}`);
}

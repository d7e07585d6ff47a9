import { buffer } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { Inbox } from './inbox.js';

/** A mail as it arrived. */
export interface ArrivedMail {
  to: string[];
  headers: Record<string, string>;
  text: string;
  html: string;
}

/** A mail server on loopback that keeps what it is sent, as `mail`. */
export class MailServer {
  readonly inbox = new Inbox();
  /** The answers to the next mails: refused with that code. */
  readonly refusals: number[] = [];

  private constructor(private readonly server: SMTPServer) {}

  static async start(): Promise<MailServer> {
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onData: (stream, session, callback) => {
        void buffer(stream).then((raw) => {
          const refusal = started.refusals.shift();
          started.inbox.record('attempt', { refusal });
          if (refusal !== undefined) {
            callback(Object.assign(new Error('refused'), { responseCode: refusal }));
            return;
          }
          const to = session.envelope.rcptTo.map(({ address }) => address);
          started.inbox.record('mail', { to, ...read(raw.toString()) });
          callback();
        }, callback);
      },
    });
    const started = new MailServer(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return started;
  }

  get url(): string {
    return `smtp://127.0.0.1:${String((this.server.server.address() as AddressInfo).port)}`;
  }

  get mails(): ArrivedMail[] {
    return this.inbox.all<ArrivedMail>('mail');
  }

  /** The nth mail, the first is 1. */
  async mail(n: number): Promise<ArrivedMail> {
    await this.inbox.until(() => this.mails.length >= n, `mail ${String(n)}`, 12_000);
    const mail = this.mails[n - 1];
    if (!mail) throw new Error('No such mail');
    return mail;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.server.close(resolve));
  }
}

/** As much of MIME as our mails have: headers, and two parts. */
function read(raw: string): Omit<ArrivedMail, 'to'> {
  const { headers, body } = split(raw);
  const boundary = /boundary="([^"]+)"/.exec(headers['content-type'] ?? '')?.[1] ?? '';
  const parts = body.split(`--${boundary}`).map((part) => split(part.replace(/^\r\n/, '')));
  const part = (type: string) => {
    const found = parts.find(({ headers }) => headers['content-type']?.startsWith(type));
    const text = found ? decoded(found.body, found.headers['content-transfer-encoding']) : '';
    return text.replaceAll('\r\n', '\n');
  };
  return { headers, text: part('text/plain'), html: part('text/html') };
}

function split(raw: string): { headers: Record<string, string>; body: string } {
  const end = raw.indexOf('\r\n\r\n');
  const lines = raw
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.split(':', 1)[0]?.toLowerCase() ?? '',
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
  return { headers, body: raw.slice(end + 4) };
}

function decoded(body: string, encoding: string | undefined): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString();
  if (encoding !== 'quoted-printable') return body;
  const bytes = body.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex: string) => `%${hex}`);
  return decodeURIComponent(bytes.replace(/%(?![0-9A-F]{2})/g, '%25'));
}

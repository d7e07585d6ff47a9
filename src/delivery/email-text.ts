import type { Notification } from '../contract/notifications.js';
import { escaped } from '../platform/pages/page.js';
import type { Digest } from './deliverables.js';

/** What a mail says, as text and as HTML. The only place with words of mails in it. */
export interface MailText {
  subject: string;
  text: string;
  html: string;
}

export function confirmationText(link: string): MailText {
  const asks = 'Somebody, probably you, wants to get mail from Parley at this address.';
  const otherwise = 'If that was not you, do nothing: no more mail will come. The link works for 24 hours.';
  return {
    subject: 'Confirm your e-mail address',
    text: `${asks}\n\nConfirm it here:\n${link}\n\n${otherwise}\n`,
    html: frame(
      `<p>${asks}</p>\n<p><a href="${escaped(link)}">Confirm this address</a></p>\n<p>${otherwise}</p>`,
    ),
  };
}

export function digestText(
  { items, more }: Digest,
  { home, unsubscribe }: { home: string; unsubscribe: string },
): MailText {
  const total = items.length + more;
  const subject =
    total === 1 ? 'A notification you have not seen' : `${String(total)} notifications you have not seen`;
  const others = more === 0 ? '' : `And ${String(more)} more.`;
  const text = [
    ...items.map((item) => `* ${titleOf(item)}\n  ${plain(item.body)}${item.url ? `\n  ${item.url}` : ''}`),
    ...(others ? [others] : []),
    `See them all: ${home}`,
    `No more of these mails: ${unsubscribe}`,
  ];
  return {
    subject,
    text: `${text.join('\n\n')}\n`,
    html: frame(`<ul>\n${items.map(itemHtml).join('\n')}\n</ul>
${others ? `<p>${others}</p>\n` : ''}<p><a href="${escaped(home)}">See them all</a></p>
<p><small><a href="${escaped(unsubscribe)}">No more of these mails</a></small></p>`),
  };
}

function itemHtml(item: Notification): string {
  const title = escaped(titleOf(item));
  // A link is what the application gave it as; anything but the web is not followed from a mail.
  const heading =
    item.url && /^https?:\/\//i.test(item.url) ? `<a href="${escaped(item.url)}">${title}</a>` : title;
  return `<li><strong>${heading}</strong><br>${escaped(plain(item.body))}</li>`;
}

function titleOf({ title, count }: Notification): string {
  return count > 1 ? `${plain(title)} (${String(count)})` : plain(title);
}

/** In one line: names and messages cannot pretend to be the rest of the mail. */
function plain(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function frame(content: string): string {
  return `<!doctype html>\n<html lang="en">\n<body>\n${content}\n</body>\n</html>\n`;
}

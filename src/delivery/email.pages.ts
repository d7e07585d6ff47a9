import { escaped, page, type Page } from '../platform/pages/page.js';

export function confirmPage(address: string): Page {
  return page(
    200,
    'Confirm your e-mail address',
    `<p>Notifications you have not seen will be told at <strong>${escaped(address)}</strong>.</p>
${button('Confirm')}`,
  );
}

export function confirmedPage(address: string): Page {
  return page(
    200,
    'Address confirmed',
    `<p role="status">Notifications you have not seen will be told at <strong>${escaped(address)}</strong>.</p>`,
  );
}

export function unsubscribePage(address: string): Page {
  return page(
    200,
    'No more mails',
    `<p>Stop telling notifications at <strong>${escaped(address)}</strong>?</p>
${button('Stop')}`,
  );
}

export function unsubscribedPage(): Page {
  return page(
    200,
    'No more mails',
    '<p role="status">Your address is removed. You can set one again in your preferences.</p>',
  );
}

/** The same for a wrong token and for one that is of no use any more: nothing to learn here. */
export function notValidPage(): Page {
  return page(
    404,
    'This link is not valid',
    '<p>It was used, it is too old, or the address was changed since. You can set your address again in your preferences.</p>',
  );
}

/** To the address of the page, which has the token in it. */
function button(label: string): string {
  return `<form method="post">\n<button>${label}</button>\n</form>`;
}

import { escaped, page, type Page } from '../platform/pages/page.js';

export interface SetupForm {
  token: string;
  username?: string;
  problem?: string;
}

export function formPage(status: number, { token, username = '', problem }: SetupForm): Page {
  const said =
    problem === undefined ? '' : `<p class="problem" id="problem" role="alert">${escaped(problem)}</p>`;
  const describedBy = (hint: string) =>
    `aria-describedby="${problem === undefined ? hint : `problem ${hint}`}"`;
  return page(
    status,
    'Set up Parley',
    `<p>Create the first administrator of this installation. The link works once.</p>
${said}
<form method="post" action="/setup">
<input type="hidden" name="token" value="${escaped(token)}">
<label for="username">Username</label>
<input id="username" name="username" value="${escaped(username)}" required minlength="3" maxlength="32" autocomplete="username" autocapitalize="none" spellcheck="false" autofocus ${describedBy('username-hint')}>
<p class="hint" id="username-hint">3 to 32 letters (a-z), digits, dots, dashes or underscores.</p>
<label for="password">Password</label>
<input id="password" name="password" type="password" required minlength="8" maxlength="128" autocomplete="new-password" ${describedBy('password-hint')}>
<p class="hint" id="password-hint">At least 8 characters.</p>
<button>Create administrator</button>
</form>`,
  );
}

export function donePage(username: string): Page {
  return page(
    201,
    'Administrator created',
    `<p role="status"><strong>${escaped(username)}</strong> is the administrator of this installation now. This link no longer works.</p>
<p><a href="/">Go and sign in</a></p>`,
  );
}

/** The same for a wrong token and for one that was used: nothing to learn here. */
export function notFoundPage(): Page {
  return page(
    404,
    'This link is not valid',
    '<p>The setup link works once, until there is an administrator. Copy it anew from the start banner, or create an administrator with <code>npm run user</code>.</p>',
  );
}

/** A page of the setup, with the HTTP status it is shown with. */
export interface Page {
  readonly status: number;
  readonly html: string;
}

export interface SetupForm {
  token: string;
  username?: string;
  problem?: string;
}

/** No script and nothing from elsewhere: the pages work under the strictest policy and without the web app. */
const STYLE = `
:root { color-scheme: light dark; --text: #1c2024; --back: #f6f7f9; --card: #fff; --line: #80858d; --accent: #0b5cad; --on: #fff; --bad: #b3261e }
@media (prefers-color-scheme: dark) {
  :root { --text: #e8eaed; --back: #14171a; --card: #1e2226; --line: #8b9199; --accent: #8ec1f5; --on: #10233a; --bad: #ff9a91 }
}
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem; background: var(--back); color: var(--text); font: 1rem/1.5 system-ui, sans-serif }
main { width: 100%; max-width: 26rem; padding: 2rem; border-radius: .75rem; background: var(--card) }
h1 { margin: 0 0 .5rem; font-size: 1.4rem }
label { display: block; margin-top: 1rem; font-weight: 600 }
input { width: 100%; margin-top: .25rem; padding: .6rem; border: 1px solid var(--line); border-radius: .4rem; background: transparent; color: inherit; font: inherit }
.hint { margin: .25rem 0 0; font-size: .875rem }
button { width: 100%; margin-top: 1.5rem; padding: .7rem; border: 0; border-radius: .4rem; background: var(--accent); color: var(--on); font: inherit; font-weight: 600; cursor: pointer }
a { color: var(--accent) }
input:focus-visible, button:focus-visible, a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
.problem { margin: 1rem 0 0; color: var(--bad); font-weight: 600 }
`;

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

function page(status: number, title: string, content: string): Page {
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`;
  return { status, html };
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

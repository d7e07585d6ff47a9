/** A page for people outside the web app, with the HTTP status it is shown with. */
export interface Page {
  readonly status: number;
  readonly html: string;
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

/** `title` and `content` are HTML. */
export function page(status: number, title: string, content: string): Page {
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

/** Text as HTML shows it, also within the quotes of an attribute. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

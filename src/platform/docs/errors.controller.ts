import { Controller, Get, Header, Redirect } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { ERRORS } from '../../contract/errors.js';
import { Public } from '../identity/current-actor.decorator.js';

const ROWS = Object.entries(ERRORS)
  .map(
    ([code, { status, retryable }]) =>
      `<tr id="${code}"><td><code>${code}</code></td><td>${String(status)}</td><td>${retryable ? 'yes' : 'no'}</td></tr>`,
  )
  .join('\n');

const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Parley: error codes</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .4rem .8rem; border-bottom: 1px solid #8884; }
tr:target { background: #fc04; }
</style></head><body>
<h1>Error codes</h1>
<p>The same over sockets (<code>error.code</code> of an acknowledgement) and REST (<code>code</code> of <code>application/problem+json</code>).
<em>Retryable</em> means that the same request may succeed later; <code>retryAfterMs</code> says when.</p>
<table><thead><tr><th>Code</th><th>HTTP status</th><th>Retryable</th></tr></thead><tbody>
${ROWS}
</tbody></table></body></html>`;

/** The page that `type` of every problem points to. Until there is a web app, `/` leads to the documents. */
@ApiExcludeController()
@Controller()
export class ErrorsController {
  @Public()
  @Get('docs/errors')
  @Header('Content-Type', 'text/html; charset=utf-8')
  errors(): string {
    return PAGE;
  }

  @Public()
  @Get('/')
  @Redirect('/docs', 302)
  start(): void {
    // The decorator says it all.
  }
}

import { Injectable } from '@nestjs/common';
import { AppError } from '../platform/errors/app-error.js';
import type { Page } from '../platform/pages/page.js';
import { Administrator } from './administrator.service.js';
import { checkedCredentials } from './credentials.js';
import { donePage, formPage, notFoundPage } from './setup.pages.js';

/** The dialogue behind the one-time link, in pages. The token is the authorisation: whoever holds it read the server's log. */
@Injectable()
export class SetupService {
  constructor(private readonly administrator: Administrator) {}

  async open(token: unknown): Promise<Page> {
    return (await this.administrator.admits(token))
      ? formPage(200, { token: String(token) })
      : notFoundPage();
  }

  /** `form` is what a browser sent, and anybody may pretend to be one. */
  async submit(form: unknown): Promise<Page> {
    const { token, username, password } = fieldsOf(form);
    if (!(await this.administrator.admits(token))) return notFoundPage();
    try {
      const made = await this.administrator.createFirst(checkedCredentials(username, password));
      return made ? donePage(made.username) : notFoundPage();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const problem =
        error.details?.map(({ path, problem }) => `The ${path} ${problem}.`).join(' ') ?? `${error.message}.`;
      return formPage(error.status, {
        token: String(token),
        username: typeof username === 'string' ? username : '',
        problem,
      });
    }
  }
}

function fieldsOf(form: unknown): Record<string, unknown> {
  return typeof form === 'object' && form !== null ? { ...form } : {};
}

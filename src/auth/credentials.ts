import type { ErrorDetail } from '../contract/errors.js';
import { AppError } from '../platform/errors/app-error.js';

/** A username and a password that are fit for a local account. */
export interface Credentials {
  username: string;
  password: string;
}

export const USERNAME = /^[a-z0-9._-]{3,32}$/i;
export const USERNAME_RULE = 'must be 3 to 32 letters (a-z), digits, dots, dashes or underscores';
export const PASSWORD_LENGTH = { min: 8, max: 128 } as const;
export const PASSWORD_RULE = `must be ${String(PASSWORD_LENGTH.min)} to ${String(PASSWORD_LENGTH.max)} characters long`;

/** For credentials that come another way than through a DTO: the environment, a form, the command line. */
export function checkedCredentials(username: unknown, password: unknown): Credentials {
  const details: ErrorDetail[] = [];
  if (!isUsername(username)) details.push({ path: 'username', problem: USERNAME_RULE });
  if (!isPassword(password)) details.push({ path: 'password', problem: PASSWORD_RULE });
  if (isUsername(username) && isPassword(password)) return { username, password };
  throw new AppError('VALIDATION_FAILED', 'The input is not valid', { details });
}

function isUsername(value: unknown): value is string {
  return typeof value === 'string' && USERNAME.test(value);
}

function isPassword(value: unknown): value is string {
  return (
    typeof value === 'string' && value.length >= PASSWORD_LENGTH.min && value.length <= PASSWORD_LENGTH.max
  );
}

import { Length, Matches, ValidateIf } from 'class-validator';
import { IsLine } from '../../platform/validation/is-line.decorator.js';
import type { Registration } from '../auth.service.js';
import { PASSWORD_LENGTH, PASSWORD_RULE, USERNAME, USERNAME_RULE } from '../credentials.js';

export class RegisterDto implements Registration {
  /** Case does not tell two people apart. */
  @Matches(USERNAME, { message: USERNAME_RULE })
  username!: string;

  @Length(PASSWORD_LENGTH.min, PASSWORD_LENGTH.max, { message: PASSWORD_RULE })
  password!: string;

  /** What others see, 1 to 100 characters; the username when absent. */
  @ValidateIf(({ name }: RegisterDto) => name !== undefined)
  @IsLine(100)
  name?: string;
}

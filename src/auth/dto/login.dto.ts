import { Length } from 'class-validator';
import { type Credentials, PASSWORD_LENGTH } from '../credentials.js';

/** Looser than the rules for a new account: those may change, and what does not fit is simply wrong. */
export class LoginDto implements Credentials {
  @Length(1, 128)
  username!: string;

  @Length(1, PASSWORD_LENGTH.max)
  password!: string;
}

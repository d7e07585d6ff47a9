import { IsEmail, MaxLength } from 'class-validator';
import type { EmailSetting, SetEmail } from '../../contract/rest.js';

export class SetEmailDto implements SetEmail {
  @MaxLength(254)
  @IsEmail({}, { message: 'must be an e-mail address' })
  address!: string;
}

export class EmailSettingDto implements EmailSetting {
  /** False: this server sends no e-mail. */
  available!: boolean;
  address?: string;
  confirmed!: boolean;
}

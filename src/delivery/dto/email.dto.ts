import { IsEmail, Matches, MaxLength } from 'class-validator';
import type { EmailSetting, SetEmail } from '../../contract/rest.js';

export class SetEmailDto implements SetEmail {
  @MaxLength(254)
  // Quoted local parts may hold anything, even the end of a header line. Nobody has one.
  @Matches(/^[^\p{Cc}\s"]*$/u, { message: 'must be without quotes, spaces and control characters' })
  @IsEmail({}, { message: 'must be an e-mail address' })
  address!: string;
}

export class EmailSettingDto implements EmailSetting {
  /** False: this server sends no e-mail. */
  available!: boolean;
  address?: string;
  confirmed!: boolean;
}

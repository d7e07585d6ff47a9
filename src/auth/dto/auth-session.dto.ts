import { ApiProperty } from '@nestjs/swagger';
import type { AuthSession } from '../../contract/rest.js';
import type { User } from '../../contract/views.js';

/** A sign-in, as the documents of the API describe it. */
export class AuthSessionDto implements AuthSession {
  // The schema that `users/me` brings along.
  @ApiProperty({ allOf: [{ $ref: '#/components/schemas/UserDto' }] })
  user!: User;

  /** JWT, 15 minutes by default. */
  accessToken!: string;

  /** Rotates with every refresh: keep the newest. */
  refreshToken!: string;

  /** When the access token expires, ISO 8601. */
  expiresAt!: string;
}

import { IsJWT, MaxLength } from 'class-validator';
import type { RefreshAuth } from '../../contract/session.js';

/** Payload of `auth:refresh`, which every namespace has. */
export class RefreshAuthDto implements RefreshAuth {
  @IsJWT()
  @MaxLength(8192)
  token!: string;
}

import { Length } from 'class-validator';

export class RefreshDto {
  /** The newest one that was handed out. */
  @Length(1, 256)
  refreshToken!: string;
}

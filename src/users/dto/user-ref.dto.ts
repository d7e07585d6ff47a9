import { IsUserId } from '../../platform/validation/rules.js';

/** Over REST the user is in the path. */
export class UserRefDto {
  @IsUserId()
  userId!: string;
}

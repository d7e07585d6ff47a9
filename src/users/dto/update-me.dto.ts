import { IsOptional, IsUrl, MaxLength, ValidateIf } from 'class-validator';
import { IsLine } from '../../platform/validation/is-line.decorator.js';
import type { UpdateMe } from '../users.service.js';

export class UpdateMeDto implements UpdateMe {
  /** 1 to 100 characters; unchanged when absent. */
  @ValidateIf(({ name }: UpdateMeDto) => name !== undefined)
  @IsLine(100)
  name?: string;

  /** http or https; `null` removes the picture, absent leaves it. */
  @IsOptional()
  @IsUrl({ protocols: ['http', 'https'], require_protocol: true, require_tld: false })
  @MaxLength(2048)
  avatarUrl?: string | null;
}

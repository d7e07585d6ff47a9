import type { WithReason } from '../../contract/admin.js';
import { IsReason } from './rules.js';

/** Of every act that is audited. */
export class WithReasonDto implements WithReason {
  /** 1 to 500 characters; stands in the audit log. */
  @IsReason()
  reason!: string;
}

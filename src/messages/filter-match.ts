import type { FilterAction, FilterKind } from '../contract/moderation.js';

/** A filter rule, as a text is asked for it. */
export interface Rule {
  id: string;
  kind: FilterKind;
  pattern: string;
  action: FilterAction;
}

/** Where in the folded text a rule applies. */
export interface Match {
  rule: Rule;
  start: number;
  end: number;
}

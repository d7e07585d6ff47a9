import type { Report } from '../contract/moderation.js';

/** Somebody, or a filter rule, wants a moderator to look at a message. */
export class ReportCreated {
  constructor(readonly report: Report) {}
}

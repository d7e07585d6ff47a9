import type { AuditEntry } from '../contract/admin.js';

/** An act was committed, with its entry. */
export class AuditAppended {
  constructor(readonly entry: AuditEntry) {}
}

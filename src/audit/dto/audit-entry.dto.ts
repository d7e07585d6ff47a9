import type { AuditEntry } from '../../contract/admin.js';
import type { Page } from '../../contract/rest.js';

class AuditActorDto {
  id!: string;
  name!: string;
}

class AuditTargetDto {
  type!: string;
  id!: string;
}

/** An entry, as the documents of the API describe it. */
class AuditEntryDto implements AuditEntry {
  id!: string;
  at!: string;
  /** null: the system. */
  actor!: AuditActorDto | null;
  act!: string;
  target!: AuditTargetDto;
  roomId?: string;
  reason?: string;
  requestId?: string;
  before?: object;
  after?: object;
}

export class AuditPageDto implements Page<AuditEntry> {
  data!: AuditEntryDto[];
  /** Of the next page. */
  cursor?: string;
  hasMore!: boolean;
}

import type { AuditEntry } from '../contract/admin.js';
import type { AuditEntryEntity } from './audit-entry.entity.js';

export function auditEntryView(row: AuditEntryEntity): AuditEntry {
  return {
    id: row.id,
    at: row.at.toISOString(),
    actor: row.actorId === null ? null : { id: row.actorId, name: row.actorName ?? '' },
    act: row.act,
    target: { type: row.targetType, id: row.targetId },
    ...(row.roomId !== null && { roomId: row.roomId }),
    ...(row.reason !== null && { reason: row.reason }),
    ...(row.requestId !== null && { requestId: row.requestId }),
    ...(row.before !== null && { before: row.before }),
    ...(row.after !== null && { after: row.after }),
  };
}

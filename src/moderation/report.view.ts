import type { Report } from '../contract/moderation.js';
import type { Actor } from '../platform/identity/actor.js';
import type { ReportEntity } from './report.entity.js';

/** As somebody who moderates may read it: who reported one's own message is told to administrators only. */
export function reportFor(reader: Actor, row: ReportEntity): Report {
  const { reportedBy, ...rest } = reportView(row);
  const hidden =
    row.senderId === reader.userId && reader.role !== 'admin' && row.reportedBy !== reader.userId;
  return { ...rest, ...(reportedBy && !hidden && { reportedBy }) };
}

export function reportView(row: ReportEntity): Report {
  return {
    id: row.id,
    messageId: row.messageId,
    roomId: row.roomId,
    senderId: row.senderId,
    content: row.content,
    reason: row.reason,
    ...(row.reportedBy !== null && { reportedBy: { id: row.reportedBy, name: row.reportedByName ?? '' } }),
    ...(row.ruleId !== null && { ruleId: row.ruleId }),
    status: row.status,
    ...(row.closedBy !== null &&
      row.closedAt && {
        closed: {
          by: { id: row.closedBy, name: row.closedByName ?? '' },
          at: row.closedAt.toISOString(),
          ...(row.note !== null && { note: row.note }),
        },
      }),
    createdAt: row.createdAt.toISOString(),
  };
}

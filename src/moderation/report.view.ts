import type { Report } from '../contract/moderation.js';
import type { ReportEntity } from './report.entity.js';

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

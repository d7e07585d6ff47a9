import { Injectable } from '@nestjs/common';
import { v7 as uuid } from 'uuid';
import { AuditLog } from '../audit/audit-log.service.js';
import type { SendAnnouncement } from '../contract/admin.js';
import type { Announcement } from '../contract/notifications.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import type { Actor } from '../platform/identity/actor.js';
import { assertAdministrator } from '../platform/identity/administrator.js';
import { Outbox } from '../platform/outbox/outbox.js';
import { ActingAdministrator } from '../users/acting-administrator.service.js';
import { AnnouncementsRepository } from './announcements.repository.js';
import { announcementView } from './notification.view.js';
import { AnnouncementSent, NOTIFICATION_DELIVER } from './notifications.events.js';

/** What administrators say to everybody. */
@Injectable()
export class AnnouncementsService {
  constructor(
    private readonly acting: ActingAdministrator,
    private readonly unitOfWork: UnitOfWork,
    private readonly announcements: AnnouncementsRepository,
    private readonly audit: AuditLog,
    private readonly outbox: Outbox,
  ) {}

  /** Stands at once in the inbox of everybody who is a user by now. */
  send(actor: Actor, { title, body, reason }: SendAnnouncement): Promise<{ announcement: Announcement }> {
    assertAdministrator(actor);
    return this.unitOfWork.run(async (tx) => {
      await this.acting.assert(tx, actor);
      const row = await this.announcements.insert(tx, {
        id: uuid(),
        title,
        body,
        fromId: actor.userId,
      });
      const announcement = announcementView(row);
      await this.audit.append(tx, actor, {
        act: 'announcement.send',
        target: { type: 'announcement', id: row.id },
        reason,
        after: { title, body },
      });
      await this.outbox.append(tx, NOTIFICATION_DELIVER, [{ announcementId: row.id }]);
      tx.raise(new AnnouncementSent(announcement));
      return { announcement };
    });
  }
}

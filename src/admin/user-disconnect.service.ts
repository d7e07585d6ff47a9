import { Injectable } from '@nestjs/common';
import type { OnUser } from '../contract/admin.js';
import { AuditLog } from '../audit/audit-log.service.js';
import { SessionsService } from '../auth/sessions.service.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import type { Actor } from '../platform/identity/actor.js';
import { assertAdministrator } from '../platform/identity/administrator.js';
import { ActingAdministrator } from '../users/acting-administrator.service.js';

/** Signs somebody out everywhere. They may sign in again: each time is an act of its own, with an audit entry of its own. */
@Injectable()
export class UserDisconnect {
  constructor(
    private readonly acting: ActingAdministrator,
    private readonly sessions: SessionsService,
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
  ) {}

  async disconnect(actor: Actor, { userId, reason }: OnUser): Promise<void> {
    assertAdministrator(actor);
    await this.unitOfWork.run(async (tx) => {
      await this.acting.over(tx, actor, userId);
      await this.sessions.endAll(tx, userId);
      await this.audit.append(tx, actor, {
        act: 'user.disconnect',
        target: { type: 'user', id: userId },
        reason,
      });
    });
  }
}

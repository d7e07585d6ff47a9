import { Injectable } from '@nestjs/common';
import type { WithReason } from '../contract/admin.js';
import type { Page } from '../contract/rest.js';
import { AuditLog } from '../audit/audit-log.service.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { assertAdministrator } from '../platform/identity/administrator.js';
import { Jobs } from '../platform/jobs/jobs.js';
import { Outbox } from '../platform/outbox/outbox.js';
import { ActingAdministrator } from '../users/acting-administrator.service.js';

export interface ListDeadJobs {
  queue?: string;
  cursor?: string;
}

export interface ListDeadFacts {
  cursor?: number;
}

/** A job that failed for good. */
export interface DeadJobView {
  id: string;
  queue: string;
  data: object;
  failedAt: string;
  error: string;
  attempts: number;
}

/** A fact that could not be handed on. */
export interface DeadFactView {
  id: number;
  topic: string;
  payload: object;
  deadAt: string;
  error: string;
  attempts: number;
}

const PAGE = 50;
/** What `Outbox.dead` gives at most. */
const FACTS_PAGE = 100;

/** Work in the background that was given up: shown, and tried again when an administrator says so. */
@Injectable()
export class DeadWork {
  constructor(
    private readonly jobs: Jobs,
    private readonly outbox: Outbox,
    private readonly acting: ActingAdministrator,
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
  ) {}

  /** Newest first. */
  async listJobs(actor: Actor, { queue, cursor }: ListDeadJobs): Promise<Page<DeadJobView>> {
    assertAdministrator(actor);
    const found = await this.jobs.dead(queue, cursor, PAGE + 1);
    const data = found.slice(0, PAGE).map((job) => ({ ...job, failedAt: job.failedAt.toISOString() }));
    const hasMore = found.length > PAGE;
    const last = data.at(-1);
    return { data, ...(hasMore && last && { cursor: last.id }), hasMore };
  }

  async retryJob(actor: Actor, { id, reason }: WithReason & { id: string }): Promise<void> {
    assertAdministrator(actor);
    await this.unitOfWork.run(async (tx) => {
      await this.acting.assert(tx, actor);
      if (!(await this.jobs.retry(tx, id))) throw new AppError('NOT_FOUND', 'There is no such dead job');
      await this.audit.append(tx, actor, { act: 'job.retry', target: { type: 'job', id }, reason });
    });
  }

  /** Oldest first. */
  async listFacts(actor: Actor, { cursor }: ListDeadFacts): Promise<Page<DeadFactView>> {
    assertAdministrator(actor);
    const found = await this.outbox.dead(cursor);
    const data = found.map(({ id, topic, payload, deadAt, error, attempts }) => ({
      id,
      topic,
      payload,
      deadAt: deadAt.toISOString(),
      error,
      attempts,
    }));
    const last = data.at(-1);
    const hasMore = data.length === FACTS_PAGE;
    return { data, ...(hasMore && last && { cursor: String(last.id) }), hasMore };
  }

  async retryFact(actor: Actor, { id, reason }: WithReason & { id: number }): Promise<void> {
    assertAdministrator(actor);
    await this.unitOfWork.run(async (tx) => {
      await this.acting.assert(tx, actor);
      if (!(await this.outbox.retry(tx, id))) throw new AppError('NOT_FOUND', 'There is no such dead row');
      await this.audit.append(tx, actor, {
        act: 'outbox.retry',
        target: { type: 'outbox', id: String(id) },
        reason,
      });
    });
  }
}

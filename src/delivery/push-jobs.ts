import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { Config } from '../platform/config/config.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { Jobs } from '../platform/jobs/jobs.js';
import { PushDelivery, type PushJob } from './push-delivery.js';
import { PushSubscriptionsRepository } from './push-subscriptions.repository.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';

interface AnnouncementJob {
  announcementId: string;
  /** The last subscription that was seen to. */
  after: string;
}

const PUSH = 'push';
const ANNOUNCEMENT = 'push-announcement';
/** With the default wait the last of them comes after two to four hours. */
const RETRIES = 8;
const AT_ONCE = 10;
const PAGE = 200;
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';
const MOST_POSTPONED = 10;
const LONGEST_WAIT_SECONDS = 3600;

/** The queues of pushes: one job for each notification and browser. */
@Injectable()
export class PushJobs implements OnModuleInit {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly jobs: Jobs,
    private readonly subscriptions: PushSubscriptionsRepository,
    private readonly delivery: PushDelivery,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  onModuleInit(): void {
    const options = { retries: RETRIES, firstRetrySeconds: this.config.delivery.retrySeconds };
    this.jobs.handle<PushJob>(PUSH, { ...options, concurrency: AT_ONCE }, (job, signal) =>
      this.push(job, signal),
    );
    this.jobs.handle<AnnouncementJob>(ANNOUNCEMENT, options, (job) => this.walk(job));
  }

  /** In all browsers of each user. */
  async add(tx: Transaction, wanted: readonly Pick<PushJob, 'notificationId' | 'userId'>[]): Promise<void> {
    if (wanted.length === 0) return;
    const found = await this.subscriptions.ofUsers(tx, [...new Set(wanted.map(({ userId }) => userId))]);
    await this.queue(
      tx,
      wanted.flatMap(({ notificationId, userId }) =>
        found
          .filter((subscription) => subscription.userId === userId)
          .map(({ id }) => ({ notificationId, userId, subscriptionId: id })),
      ),
    );
  }

  /** In all browsers there are, a page at a time. */
  announce(tx: Transaction, announcementId: string): Promise<void> {
    return this.jobs.add(tx, ANNOUNCEMENT, { announcementId, after: BEFORE_ALL }, { key: announcementId });
  }

  private queue(tx: Transaction, pushes: readonly PushJob[]): Promise<void> {
    const afterSeconds = this.config.delivery.push.delaySeconds;
    return this.jobs.addAll(
      tx,
      PUSH,
      pushes.map((push) => ({ data: push, afterSeconds, key: keyOf(push) })),
    );
  }

  private async push(job: PushJob, signal: AbortSignal): Promise<void> {
    const postponed = (job.postponed ?? 0) + 1;
    const outcome = await this.delivery.deliver(job, signal);
    if (outcome === 'done') return;
    // The queue's own waits may be shorter than the one that was asked for.
    if (postponed > MOST_POSTPONED) throw new Error('The push service asked for patience too often');
    const afterSeconds = Math.min(outcome.laterSeconds, LONGEST_WAIT_SECONDS);
    await this.jobs.postpone(PUSH, { data: { ...job, postponed }, afterSeconds, key: keyOf(job) });
  }

  private async walk({ announcementId, after }: AnnouncementJob): Promise<void> {
    await this.unitOfWork.run(async (tx) => {
      const page = await this.subscriptions.page(tx, after, PAGE);
      await this.queue(
        tx,
        page.map(({ id, userId }) => ({ notificationId: announcementId, userId, subscriptionId: id })),
      );
      const last = page.at(-1);
      if (last && page.length === PAGE)
        await this.jobs.add(
          tx,
          ANNOUNCEMENT,
          { announcementId, after: last.id },
          { key: `${announcementId}:${last.id}` },
        );
    });
  }
}

/** A notification that grows while its push waits is pushed once, as it is then. */
function keyOf({ notificationId, subscriptionId }: PushJob): string {
  return `${notificationId}:${subscriptionId}`;
}

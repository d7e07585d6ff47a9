import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { NotificationDelivery } from '../notifications/notification-delivery.service.js';
import type { Config } from '../platform/config/config.js';
import { CONFIG } from '../platform/config/config.module.js';
import { UnitOfWork, type Transaction } from '../platform/database/unit-of-work.js';
import { Jobs } from '../platform/jobs/jobs.js';
import { DigestJobs } from './digest-jobs.js';
import { EmailAddressesRepository } from './email-addresses.repository.js';

interface AnnouncementJob {
  announcementId: string;
  /** The last user who was seen to. */
  after: string;
}

const ANNOUNCEMENT = 'email-announcement';
const RETRIES = 8;
const PAGE = 200;

/** Has a digest made for whoever wants announcements by e-mail, a page of addresses at a time. */
@Injectable()
export class AnnouncementDigests implements OnModuleInit {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly jobs: Jobs,
    private readonly addresses: EmailAddressesRepository,
    private readonly notifications: NotificationDelivery,
    private readonly digests: DigestJobs,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  onModuleInit(): void {
    const options = { retries: RETRIES, firstRetrySeconds: this.config.delivery.retrySeconds };
    this.jobs.handle<AnnouncementJob>(ANNOUNCEMENT, options, (job) => this.walk(job));
  }

  async announce(tx: Transaction, announcementId: string): Promise<void> {
    if (this.config.delivery.email) await this.queue(tx, { announcementId, after: '' });
  }

  private queue(tx: Transaction, job: AnnouncementJob): Promise<void> {
    return this.jobs.add(tx, ANNOUNCEMENT, job, { key: `${job.announcementId}:${job.after}` });
  }

  private async walk({ announcementId, after }: AnnouncementJob): Promise<void> {
    const page = await this.addresses.page(after, PAGE);
    const wanting = await this.notifications.wantAnnouncementsByEmail(page);
    await this.unitOfWork.run(async (tx) => {
      await this.digests.add(tx, wanting);
      const last = page.length === PAGE ? page.at(-1) : undefined;
      if (last !== undefined) await this.queue(tx, { announcementId, after: last });
    });
  }
}

import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { Config } from '../platform/config/config.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { Jobs } from '../platform/jobs/jobs.js';
import { Metrics } from '../platform/metrics/metrics.js';
import { Deliverables } from './deliverables.js';
import { EmailAddressesRepository, type DigestAddress } from './email-addresses.repository.js';
import { EmailMails } from './email-mails.js';

const DIGEST = 'email-digest';
/** With the default wait the last of them comes after two to four hours. */
const RETRIES = 8;
const AT_ONCE = 2;
/** What is younger may be followed by an older one whose transaction has not ended: it waits for the next digest. */
const FRESH_SECONDS = 60;

/** One waiting digest for each user: what is still unseen when its time has come is told in one mail. */
@Injectable()
export class DigestJobs implements OnModuleInit {
  private readonly digestSeconds: number;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly jobs: Jobs,
    private readonly addresses: EmailAddressesRepository,
    private readonly deliverables: Deliverables,
    private readonly mails: EmailMails,
    private readonly metrics: Metrics,
  ) {
    this.digestSeconds = config.delivery.digestSeconds;
  }

  onModuleInit(): void {
    const options = { retries: RETRIES, firstRetrySeconds: this.config.delivery.retrySeconds };
    this.jobs.handle<{ userId: string }>(DIGEST, { ...options, concurrency: AT_ONCE }, ({ userId }) =>
      this.send(userId),
    );
  }

  async add(tx: Transaction, userIds: readonly string[]): Promise<void> {
    if (userIds.length === 0 || !this.config.delivery.email) return;
    await this.queue(tx, await this.addresses.confirmedAmong(tx, userIds), this.digestSeconds);
  }

  private queue(
    tx: Transaction | undefined,
    userIds: readonly string[],
    afterSeconds: number,
  ): Promise<void> {
    const jobs = userIds.map((userId) => ({ data: { userId }, key: userId, afterSeconds }));
    return this.jobs.addAll(tx, DIGEST, jobs);
  }

  private async send(userId: string): Promise<void> {
    const fresh = Math.min(FRESH_SECONDS, this.digestSeconds);
    const address = await this.addresses.forDigest(userId, this.digestSeconds, fresh);
    // Another digest left while this one waited for another attempt.
    if (address && address.waitSeconds > 0) await this.queue(undefined, [userId], address.waitSeconds);
    else if (!address || !(await this.tell(address))) this.metrics.emailed('skipped');
  }

  /** False when everything was seen meanwhile. */
  private async tell(address: DigestAddress): Promise<boolean> {
    const { userId, since, until } = address;
    const digest = await this.deliverables.digest(userId, since, until);
    if (digest.items.length > 0) {
      await this.mails.digest(address, digest);
      await this.addresses.toldUntil(address);
    }
    if (digest.leavesSome) await this.queue(undefined, [userId], this.digestSeconds);
    return digest.items.length > 0;
  }
}

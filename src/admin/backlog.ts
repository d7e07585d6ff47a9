import { Injectable, Logger } from '@nestjs/common';
import { describeError } from '../platform/logging/describe-error.js';
import { Jobs } from '../platform/jobs/jobs.js';
import { Outbox } from '../platform/outbox/outbox.js';

/** What waits in the database, as it was told last: two counts, asked for only while somebody looks, one question at a time. */
@Injectable()
export class Backlog {
  known = { outbox: 0, jobs: 0 };
  private readonly logger = new Logger(Backlog.name);
  private asking: Promise<void> | undefined;

  constructor(
    private readonly outbox: Outbox,
    private readonly jobs: Jobs,
  ) {}

  /** Never fails: statistics matter most while the database does not answer. */
  refresh(): Promise<void> {
    this.asking ??= this.ask().finally(() => (this.asking = undefined));
    return this.asking;
  }

  private async ask(): Promise<void> {
    try {
      const outbox = await this.outbox.waiting();
      let jobs = 0;
      for (const waiting of (await this.jobs.waiting()).values()) jobs += waiting;
      this.known = { outbox, jobs };
    } catch (error) {
      this.logger.debug({ error: describeError(error) }, 'The backlog could not be read');
    }
  }
}

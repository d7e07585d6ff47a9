import { setTimeout as pause } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { describeError } from '../platform/logging/describe-error.js';
import { Jobs } from '../platform/jobs/jobs.js';
import { Outbox } from '../platform/outbox/outbox.js';

/** How long somebody who asks waits for numbers that are not the last ones. */
const PATIENCE_MS = 250;

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

  /** The numbers of this moment, unless the database takes long: then the last ones stand. */
  async refreshSoon(): Promise<void> {
    await Promise.race([this.refresh(), pause(PATIENCE_MS, undefined, { ref: false })]);
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

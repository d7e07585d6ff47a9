import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { Outbox } from '../platform/outbox/outbox.js';
import {
  NOTIFICATION_DELIVER,
  type AnnouncementDeliveryFact,
  type DeliveryFact,
} from '../notifications/notifications.events.js';
import { AnnouncementDigests } from './announcement-digests.js';
import { DigestJobs } from './digest-jobs.js';
import { PushJobs } from './push-jobs.js';

/** Makes jobs of what is to leave, in the transaction that takes the fact from the outbox: neither lost nor made twice. */
@Injectable()
export class DeliveryFacts implements OnModuleInit {
  constructor(
    private readonly outbox: Outbox,
    private readonly pushes: PushJobs,
    private readonly digests: DigestJobs,
    private readonly announcements: AnnouncementDigests,
  ) {}

  onModuleInit(): void {
    this.outbox.drain(NOTIFICATION_DELIVER, (tx, rows) =>
      this.queue(
        tx,
        rows.map(({ payload }) => payload),
      ),
    );
  }

  private async queue(
    tx: Transaction,
    facts: readonly (DeliveryFact | AnnouncementDeliveryFact)[],
  ): Promise<void> {
    const personal = facts.filter((fact) => 'notificationId' in fact);
    await this.pushes.add(
      tx,
      personal.filter(({ push }) => push),
    );
    await this.digests.add(
      tx,
      personal.filter(({ email }) => email).map(({ userId }) => userId),
    );
    for (const fact of facts)
      if ('announcementId' in fact) {
        await this.pushes.announce(tx, fact.announcementId);
        await this.announcements.announce(tx, fact.announcementId);
      }
  }
}

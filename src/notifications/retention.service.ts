import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import type { Config } from '../platform/config/config.js';
import { CONFIG } from '../platform/config/config.module.js';
import { UnitOfWork, type Transaction } from '../platform/database/unit-of-work.js';
import { DecisionsRepository } from './decisions.repository.js';
import { InboxesRepository } from './inboxes.repository.js';
import { AnnouncementsRemoved, NotificationsTakenBack } from './notifications.events.js';
import { RetentionRepository } from './retention.repository.js';

const INTERVAL_MS = 15 * 60_000;
const DAY_MS = 24 * 3600_000;
/** Rows of one transaction: nobody waits long for an inbox. */
const CHUNK = 500;

/**
 * Lets go of what is older than NOTIFICATION_DAYS: notifications, decisions and announcements. Every node does, and one
 * finds nothing where another has just been. What custom notifications were answered stays for ever.
 */
@Injectable()
export class NotificationRetention implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(NotificationRetention.name);
  private readonly days: number;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private stopped = false;

  constructor(
    @Inject(CONFIG) config: Config,
    private readonly unitOfWork: UnitOfWork,
    private readonly old: RetentionRepository,
    private readonly inboxes: InboxesRepository,
    private readonly decisions: DecisionsRepository,
  ) {
    this.days = config.notifications.days;
  }

  onApplicationBootstrap(): void {
    if (this.days > 0) this.timer = setInterval(() => void this.run(new Date()), INTERVAL_MS).unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    this.stopped = true;
    await this.running;
  }

  /** Resolves when nothing is left that is too old at this time. */
  run(now: Date): Promise<void> {
    return (this.running ??= this.tidy(now).finally(() => (this.running = undefined)));
  }

  private async tidy(now: Date): Promise<void> {
    const before = new Date(now.getTime() - this.days * DAY_MS);
    try {
      await this.repeat(() => this.removeNotifications(before));
      await this.repeat(() => this.unitOfWork.run((tx) => this.old.removeDecisions(tx, before, CHUNK)));
      await this.unitOfWork.run((tx) => this.removeAnnouncements(tx, before));
      await this.repeat(() =>
        this.unitOfWork.run((tx) => this.old.removeAnnouncementStates(tx, before, CHUNK)),
      );
    } catch (error) {
      this.logger.warn('Old notifications could not be removed; it is tried again', error);
    }
  }

  /** In transactions of their own, so that people's come in between. */
  private async repeat(chunk: () => Promise<number>): Promise<void> {
    while (!this.stopped && (await chunk()) === CHUNK);
  }

  private async removeNotifications(before: Date): Promise<number> {
    const found = await this.old.oldNotifications(before, CHUNK);
    if (found.length === 0) return 0;
    await this.unitOfWork.run(async (tx) => {
      await this.inboxes.lock(
        tx,
        found.map(({ userId }) => userId),
      );
      const ids = found.map(({ id }) => id);
      const removed = await this.old.removeNotifications(tx, ids, before);
      await this.decisions.forgetNotifications(tx, ids);
      await this.inboxes.changed(tx, [...new Set(removed.map(({ userId }) => userId))]);
      tx.raise(new NotificationsTakenBack([], removed));
    });
    return found.length;
  }

  private async removeAnnouncements(tx: Transaction, before: Date): Promise<void> {
    const ids = await this.old.removeAnnouncements(tx, before);
    if (ids.length > 0) tx.raise(new AnnouncementsRemoved(ids));
  }
}

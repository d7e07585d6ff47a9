import { Injectable } from '@nestjs/common';
import { CONTRACT_LIMITS } from '../contract/limits.js';
import type {
  ListNotifications,
  Notification,
  NotificationCounts,
  ReadNotifications,
} from '../contract/notifications.js';
import type { Page } from '../contract/rest.js';
import { UnitOfWork, type Transaction } from '../platform/database/unit-of-work.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { AnnouncementsRepository } from './announcements.repository.js';
import { InboxesRepository } from './inboxes.repository.js';
import { cursorOf, keyOf } from './notification-cursor.js';
import { notificationView } from './notification.view.js';
import { InboxSeen, NotificationsArchived, NotificationsRead } from './notifications.events.js';
import { NotificationsRepository } from './notifications.repository.js';
import { RoomReading } from './room-reading.service.js';

/** Notifications marked in one transaction: an inbox is held for a short time only. */
const CHUNK = 1000;

type Counted = Promise<{ counts: NotificationCounts }>;

/** One's own inbox: what is in it, and what one has seen, read and put away. */
@Injectable()
export class InboxService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly inboxes: InboxesRepository,
    private readonly notifications: NotificationsRepository,
    private readonly announcements: AnnouncementsRepository,
    private readonly reading: RoomReading,
  ) {}

  async list(
    actor: Actor,
    input: ListNotifications,
  ): Promise<{ notifications: Notification[]; cursor?: string }> {
    const { data, cursor } = await this.page(actor, input);
    return { notifications: data, ...(cursor !== undefined && { cursor }) };
  }

  /** Newest first. */
  async page(
    actor: Actor,
    {
      cursor,
      filter = 'all',
      limit = CONTRACT_LIMITS.notificationsPage,
    }: ListNotifications & { limit?: number },
  ): Promise<Page<Notification>> {
    const before = cursor === undefined ? undefined : keyOf(cursor);
    await this.reading.catchUp([actor.userId]);
    const rows = await this.notifications.list(actor.userId, filter, before, limit + 1);
    const hasMore = rows.length > limit;
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    return { data: shown.map(notificationView), ...(hasMore && last && { cursor: cursorOf(last) }), hasMore };
  }

  async find(actor: Actor, notificationId: string): Promise<Notification> {
    const row = await this.notifications.find(actor.userId, notificationId);
    if (!row) throw new AppError('NOT_FOUND', 'There is no such notification');
    return notificationView(row);
  }

  async counts(actor: Actor): Promise<NotificationCounts> {
    await this.reading.catchUp([actor.userId]);
    return this.countsOf(actor);
  }

  async seen(actor: Actor): Counted {
    await this.unitOfWork.run(async (tx) => {
      await this.inboxes.lock(tx, [actor.userId]);
      if (await this.inboxes.see(tx, actor.userId)) tx.raise(new InboxSeen(actor.userId));
    });
    return { counts: await this.countsOf(actor) };
  }

  async read(actor: Actor, { ids, all }: ReadNotifications): Counted {
    if ((ids === undefined) === (all === undefined)) throw AppError.invalid('ids', 'give either ids or all');
    await (ids ? this.readThese(actor.userId, ids) : this.readAll(actor.userId));
    return { counts: await this.countsOf(actor) };
  }

  async archive(actor: Actor, ids: readonly string[]): Counted {
    await this.unitOfWork.run(async (tx) => {
      const { now } = await this.inboxes.lock(tx, [actor.userId]);
      const archived = [
        ...(await this.notifications.archive(tx, actor.userId, ids, now)),
        ...(await this.announcements.archive(tx, actor.userId, ids, now)),
      ];
      if (archived.length === 0) return;
      await this.inboxes.changed(tx, [actor.userId]);
      tx.raise(new NotificationsArchived(actor.userId, archived, now));
    });
    return { counts: await this.countsOf(actor) };
  }

  private readThese(userId: string, ids: readonly string[]): Promise<void> {
    return this.unitOfWork.run(async (tx) => {
      const { now } = await this.inboxes.lock(tx, [userId]);
      const read = [
        ...(await this.notifications.read(tx, userId, ids, now)),
        ...(await this.announcements.read(tx, userId, ids, now)),
      ];
      if (read.length === 0) return;
      await this.inboxes.changed(tx, [userId]);
      tx.raise(new NotificationsRead(userId, read, now));
    });
  }

  /** A large inbox in several transactions, all of one time; it is told with the last. What comes between them is younger. */
  private async readAll(userId: string): Promise<void> {
    const { readAt, count } = await this.unitOfWork.run((tx) => this.readAnnouncements(tx, userId));
    let some = count > 0;
    let fromVersion: number | undefined = 0;
    while (fromVersion !== undefined)
      fromVersion = await this.unitOfWork.run(async (tx) => {
        await this.inboxes.lock(tx, [userId]);
        const read = await this.notifications.readMany(tx, userId, readAt, fromVersion as number, CHUNK);
        some ||= read.length > 0;
        const isLast = read.length < CHUNK;
        if (some) await this.inboxes.changed(tx, [userId]);
        if (some && isLast) tx.raise(new NotificationsRead(userId, undefined, readAt));
        return isLast ? undefined : Math.max(...read);
      });
  }

  private async readAnnouncements(tx: Transaction, userId: string): Promise<{ readAt: Date; count: number }> {
    // Before the clock is read: what is read until then has to be there.
    await this.announcements.enterToReadAll(tx);
    const { now } = await this.inboxes.lock(tx, [userId]);
    const read = await this.announcements.read(tx, userId, undefined, now);
    await this.inboxes.readAnnouncementsUntil(tx, userId, now);
    return { readAt: now, count: read.length };
  }

  private async countsOf({ userId }: Actor): Promise<NotificationCounts> {
    const [found] = await this.inboxes.counts([userId]);
    if (!found) throw new AppError('NOT_FOUND', 'There is no such user');
    const { unread, unseen, version } = found;
    return { unread, unseen, version };
  }
}

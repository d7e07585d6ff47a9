import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DomainEvents } from '../platform/events/domain-events.js';
import { Publisher } from '../platform/realtime/publisher.js';
import {
  AnnouncementSent,
  InboxSeen,
  NotificationsArchived,
  NotificationsRead,
  NotificationsTakenBack,
  NotificationsTold,
  PreferencesChanged,
} from './notifications.events.js';
import { OpenInboxes } from './open-inboxes.js';

/** Users whose counts one statement reads. */
const CHUNK = 200;

/** Changes of inboxes -> `notification:*` events to the devices of their users, each followed by the counts. */
@Injectable()
export class NotificationsBroadcaster implements OnModuleInit {
  private readonly waiting = new Set<string>();
  private running: Promise<void> | undefined;

  constructor(
    private readonly events: DomainEvents,
    private readonly publisher: Publisher,
    private readonly open: OpenInboxes,
  ) {}

  onModuleInit(): void {
    this.events.on(NotificationsTold, (event) => this.told(event));
    this.events.on(NotificationsTakenBack, (event) => this.takenBack(event));
    this.events.on(NotificationsRead, (event) => this.read(event));
    this.events.on(NotificationsArchived, (event) => this.archived(event));
    this.events.on(InboxSeen, ({ userId }) => this.tellCounts([userId]));
    this.events.on(PreferencesChanged, (event) => this.preferencesChanged(event));
    this.events.on(AnnouncementSent, ({ announcement }) => {
      this.publisher.notifications.toAll('announcement', announcement);
      return this.tellCounts(this.open.all());
    });
  }

  private told({ told }: NotificationsTold): Promise<void> | undefined {
    const here = told.filter(({ userId }) => this.open.has(userId));
    for (const { userId, notification, grown } of here)
      this.publisher.notifications.toUsers(
        [userId],
        grown ? 'notification:updated' : 'notification:new',
        notification,
      );
    return this.tellCounts(here.map(({ userId }) => userId));
  }

  private takenBack({ refreshed, removed }: NotificationsTakenBack): Promise<void> | undefined {
    for (const { userId, notification } of refreshed)
      this.publisher.notifications.toUsers([userId], 'notification:updated', notification);
    for (const { userId, id } of removed)
      this.publisher.notifications.toUsers([userId], 'notification:removed', { ids: [id] });
    return this.tellCounts([...refreshed, ...removed].map(({ userId }) => userId));
  }

  private read({ userId, ids, readAt }: NotificationsRead): Promise<void> | undefined {
    const at = readAt.toISOString();
    this.publisher.notifications.toUsers(
      [userId],
      'notification:read',
      ids ? { ids: [...ids], readAt: at } : { all: true, readAt: at },
    );
    return this.tellCounts([userId]);
  }

  private archived({ userId, ids, archivedAt }: NotificationsArchived): Promise<void> | undefined {
    this.publisher.notifications.toUsers([userId], 'notification:archived', {
      ids: [...ids],
      archivedAt: archivedAt.toISOString(),
    });
    return this.tellCounts([userId]);
  }

  private preferencesChanged({ userId, preferences }: PreferencesChanged): Promise<void> | undefined {
    this.publisher.notifications.toUsers([userId], 'preference:updated', preferences);
    return this.tellCounts([userId]);
  }

  /** Absolute, read after the change: of several changes in a row the users are told the last. */
  private tellCounts(userIds: readonly string[]): Promise<void> | undefined {
    for (const userId of userIds) if (this.open.has(userId)) this.waiting.add(userId);
    return this.waiting.size > 0 ? (this.running ??= this.work()) : undefined;
  }

  /** Hints must not take the connections that writers and readers need: one statement at a time, for all who wait. */
  private async work(): Promise<void> {
    try {
      while (this.waiting.size > 0) {
        const chunk = [...this.waiting].slice(0, CHUNK);
        for (const userId of chunk) this.waiting.delete(userId);
        for (const { userId, counts } of await this.open.counts(chunk))
          this.publisher.notifications.toUsers([userId], 'notification:counts', counts);
      }
    } finally {
      this.running = undefined;
    }
  }
}

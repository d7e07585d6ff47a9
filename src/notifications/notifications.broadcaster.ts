import { setTimeout as wait } from 'node:timers/promises';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DomainEvents } from '../platform/events/domain-events.js';
import { Publisher } from '../platform/realtime/publisher.js';
import {
  AnnouncementSent,
  AnnouncementsRemoved,
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
/** After a failure it is tried again, so often: counts that are never told would stay wrong on a screen. */
const RETRIES = 5;
const PAUSE_MS = 500;

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
    this.events.on(AnnouncementsRemoved, ({ ids }) => {
      this.publisher.notifications.toAll('notification:removed', { ids: [...ids] });
      return this.tellCounts(this.open.all());
    });
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
    const idsOf = new Map<string, string[]>();
    for (const { userId, id } of removed) idsOf.set(userId, [...(idsOf.get(userId) ?? []), id]);
    for (const [userId, ids] of idsOf)
      this.publisher.notifications.toUsers([userId], 'notification:removed', { ids });
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
    let failures = 0;
    try {
      while (this.waiting.size > 0) {
        const chunk = [...this.waiting].slice(0, CHUNK);
        for (const userId of chunk) this.waiting.delete(userId);
        try {
          for (const { userId, counts } of await this.open.counts(chunk))
            this.publisher.notifications.toUsers([userId], 'notification:counts', counts);
          failures = 0;
        } catch (error) {
          // Whoever has something to tell next tells them too.
          for (const userId of chunk) this.waiting.add(userId);
          if (++failures > RETRIES) throw error;
          await wait(PAUSE_MS);
        }
      }
    } finally {
      this.running = undefined;
    }
  }
}

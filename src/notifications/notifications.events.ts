import type { Announcement, Notification, NotificationPreferences } from '../contract/notifications.js';
import type { OutboxTopic } from '../platform/outbox/outbox-topic.js';

/** What is to leave by web push or e-mail. Decided in the transaction that made it; to be looked at again when it is sent. */
export interface DeliveryFact {
  notificationId: string;
  userId: string;
  push: boolean;
  email: boolean;
}
/** One fact for everybody. */
export interface AnnouncementDeliveryFact {
  announcementId: string;
}
export const NOTIFICATION_DELIVER = 'notification.deliver' as OutboxTopic<
  DeliveryFact | AnnouncementDeliveryFact
>;

/** Notifications came into being, or grew by one more. */
export class NotificationsTold {
  constructor(readonly told: readonly { userId: string; notification: Notification; grown: boolean }[]) {}
}

/** What notifications told of is no longer theirs to tell: what tells of other messages too shows those, the others are gone. */
export class NotificationsTakenBack {
  constructor(
    readonly refreshed: readonly { userId: string; notification: Notification }[],
    readonly removed: readonly { userId: string; id: string }[],
  ) {}
}

/** `ids` undefined: everything there was. */
export class NotificationsRead {
  constructor(
    readonly userId: string,
    readonly ids: readonly string[] | undefined,
    readonly readAt: Date,
  ) {}
}

export class NotificationsArchived {
  constructor(
    readonly userId: string,
    readonly ids: readonly string[],
    readonly archivedAt: Date,
  ) {}
}

/** The bell was opened: nothing is unseen any more. */
export class InboxSeen {
  constructor(readonly userId: string) {}
}

export class PreferencesChanged {
  constructor(
    readonly userId: string,
    readonly preferences: NotificationPreferences,
  ) {}
}

/** They were too old to be kept. */
export class AnnouncementsRemoved {
  constructor(readonly ids: readonly string[]) {}
}

export class AnnouncementSent {
  constructor(readonly announcement: Announcement) {}
}

import { Injectable } from '@nestjs/common';
import { NOTIFICATION_KINDS, type Notification, type NotificationKind } from '../contract/notifications.js';
import { DecisionFactsRepository } from './decision-facts.repository.js';
import { InboxesRepository, type Inbox } from './inboxes.repository.js';
import { notificationView } from './notification.view.js';
import { preferenceFor, type Preference } from './notifications.policy.js';
import { NotificationsRepository } from './notifications.repository.js';
import { RoomReading } from './room-reading.service.js';

/** A notification as it is by now, and whether it should still be pushed. */
interface Pushable {
  notification: Notification;
  push: boolean;
  /** How many their user has not read. */
  unread: number;
}

const NO_SETTINGS = { kinds: null, quietHours: null };

/** Asked when something is about to leave by web push or e-mail: is it still wanted? Much may have happened since it was decided. */
@Injectable()
export class NotificationDelivery {
  constructor(
    private readonly notifications: NotificationsRepository,
    private readonly inboxes: InboxesRepository,
    private readonly facts: DecisionFactsRepository,
    private readonly reading: RoomReading,
  ) {}

  /**
   * One notification or announcement. No push for what was read or archived meanwhile, of a room that was muted or left, of
   * a kind that was switched off, or while hours are quiet.
   */
  async ofUser(userId: string, notificationId: string): Promise<Pushable | undefined> {
    await this.reading.catchUp([userId]);
    const row = await this.notifications.find(userId, notificationId);
    if (!row) return undefined;
    const { push } = (await this.preferences([userId]))(userId, row.kind).channels;
    const wanted = row.readAt === null && (row.roomId === null || (await this.isHeard(userId, row.roomId)));
    const [counts] = await this.inboxes.counts([userId]);
    return {
      notification: notificationView(row),
      push: wanted && push,
      unread: counts?.unread ?? 0,
    };
  }

  /** What a user has not seen of what came since then, where e-mail is wanted; the newest first, at most `limit`. */
  async unseenOf(userId: string, since: Date, limit: number): Promise<Notification[]> {
    await this.reading.catchUp([userId]);
    const preference = await this.preferences([userId]);
    const kinds = NOTIFICATION_KINDS.filter((kind) => preference(userId, kind).channels.email);
    return (await this.notifications.unseen(userId, kinds, since, limit)).map(notificationView);
  }

  /** Who of these wants announcements in the digest at this moment. */
  async wantAnnouncementsByEmail(userIds: readonly string[]): Promise<string[]> {
    const preference = await this.preferences(userIds);
    return userIds.filter((userId) => preference(userId, 'announcement').channels.email);
  }

  /** The room may still speak to them. Which level it was told by does not matter any more, only that it is not silenced. */
  private async isHeard(userId: string, roomId: string): Promise<boolean> {
    const [member] = await this.facts.membersOf([{ roomId, userId }]);
    return member !== undefined && !member.suspended && !member.muted && member.notifyLevel !== 'none';
  }

  private async preferences(
    userIds: readonly string[],
  ): Promise<(userId: string, kind: NotificationKind) => Preference> {
    const inboxes = new Map<string, Inbox>();
    for (const inbox of await this.inboxes.settings(userIds)) inboxes.set(inbox.userId, inbox);
    const now = new Date();
    return (userId, kind) => preferenceFor(kind, inboxes.get(userId) ?? NO_SETTINGS, now);
  }
}

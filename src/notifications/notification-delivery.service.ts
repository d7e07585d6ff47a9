import { Injectable } from '@nestjs/common';
import type { Announcement, Notification, NotificationKind } from '../contract/notifications.js';
import { AnnouncementsRepository } from './announcements.repository.js';
import { DecisionFactsRepository, type MemberFacts } from './decision-facts.repository.js';
import { InboxesRepository, type Inbox } from './inboxes.repository.js';
import { announcementView, notificationView, type NotificationRow } from './notification.view.js';
import { preferenceFor, type Preference } from './notifications.policy.js';
import { NotificationsRepository } from './notifications.repository.js';
import { RoomReading } from './room-reading.service.js';

/** A notification, and where it should still go. */
export interface Deliverable {
  userId: string;
  notification: Notification;
  push: boolean;
  email: boolean;
}

const NO_SETTINGS = { kinds: null, quietHours: null };

/** Asked when something is about to leave by web push or e-mail: is it still wanted? Much may have happened since it was decided. */
@Injectable()
export class NotificationDelivery {
  constructor(
    private readonly notifications: NotificationsRepository,
    private readonly inboxes: InboxesRepository,
    private readonly facts: DecisionFactsRepository,
    private readonly announcements: AnnouncementsRepository,
    private readonly reading: RoomReading,
  ) {}

  /**
   * Those of these notifications that are still there, as they are by now. Neither push nor e-mail for what was read or
   * archived meanwhile, of a room that was muted or left, of a kind that was switched off, or while hours are quiet.
   */
  async forDelivery(wanted: readonly { notificationId: string; userId: string }[]): Promise<Deliverable[]> {
    const userIds = [...new Set(wanted.map(({ userId }) => userId))];
    await this.reading.catchUp(userIds);
    const rows = await this.notifications.byIds(wanted.map(({ notificationId }) => notificationId));
    return this.check(rows, userIds);
  }

  /** The same for one user and one notification or announcement, with how many they have not read. */
  async ofUser(
    userId: string,
    notificationId: string,
  ): Promise<(Deliverable & { unread: number }) | undefined> {
    await this.reading.catchUp([userId]);
    const row = await this.notifications.find(userId, notificationId);
    if (!row) return undefined;
    const [checked] = await this.check([row], [userId]);
    const [counts] = await this.inboxes.counts([userId]);
    return checked && { ...checked, unread: counts?.unread ?? 0 };
  }

  /** What a user has not seen of what came since then, where e-mail is wanted; the newest first, and how many there are up to `limit`. */
  async unseenOf(userId: string, since: Date, limit = 50): Promise<Notification[]> {
    await this.reading.catchUp([userId]);
    const checked = await this.check(await this.notifications.unseen(userId, since, limit), [userId]);
    return checked.filter(({ email }) => email).map(({ notification }) => notification);
  }

  async announcement(id: string): Promise<Announcement | undefined> {
    const row = await this.announcements.find(id);
    return row ? announcementView(row) : undefined;
  }

  /** Who is to be told of an announcement by push or e-mail at this moment: by id from behind `after`, `cursor` while there are more. */
  async audience(
    announcementId: string,
    after: string,
    limit: number,
  ): Promise<{ users: { userId: string; push: boolean; email: boolean }[]; cursor?: string }> {
    const row = await this.announcements.find(announcementId);
    if (!row) return { users: [] };
    const userIds = await this.announcements.audience(row, after, limit);
    const preference = await this.preferences(userIds);
    const users = userIds.flatMap((userId) => {
      const { push, email } = preference(userId, 'announcement').channels;
      return push || email ? [{ userId, push, email }] : [];
    });
    const last = userIds.length === limit ? userIds.at(-1) : undefined;
    return { users, ...(last !== undefined && { cursor: last }) };
  }

  private async check(rows: NotificationRow[], userIds: readonly string[]): Promise<Deliverable[]> {
    const preference = await this.preferences(userIds);
    const inRooms = rows.flatMap(({ roomId, userId }) => (roomId === null ? [] : { roomId, userId }));
    const members = new Map(
      (await this.facts.membersOf(distinct(inRooms))).map((member) => [keyOf(member), member]),
    );
    return rows.map((row) => {
      const member =
        row.roomId === null ? undefined : members.get(keyOf({ roomId: row.roomId, userId: row.userId }));
      const wanted = row.readAt === null && (row.roomId === null || isHeard(member));
      const { push, email } = preference(row.userId, row.kind).channels;
      return {
        userId: row.userId,
        notification: notificationView(row),
        push: wanted && push,
        email: wanted && email,
      };
    });
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

// NUL is in none of the parts.
const keyOf = ({ roomId, userId }: { roomId: string; userId: string }) => `${roomId}\0${userId}`;

function distinct(pairs: { roomId: string; userId: string }[]): { roomId: string; userId: string }[] {
  return [...new Map(pairs.map((pair) => [keyOf(pair), pair])).values()];
}

/** The room may still speak to them. Which level it was told by does not matter any more, only that it is not silenced. */
function isHeard(member: MemberFacts | undefined): boolean {
  return member !== undefined && !member.suspended && !member.muted && member.notifyLevel !== 'none';
}

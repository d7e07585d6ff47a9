import { Injectable } from '@nestjs/common';
import type { Notification } from '../contract/notifications.js';
import type { PushPayload } from '../contract/rest.js';
import { NotificationDelivery } from '../notifications/notification-delivery.service.js';

/** What a digest tells. */
export interface Digest {
  /** Newest first. */
  items: Notification[];
  /** How many more there are, as far as they were counted. */
  more: number;
  /** Some are too young: they wait for another digest. */
  leavesSome: boolean;
}

const MOST_ITEMS = 20;
const MOST_COUNTED = 200;

/** What there still is to tell, at the moment of telling it. */
@Injectable()
export class Deliverables {
  constructor(private readonly notifications: NotificationDelivery) {}

  /** Undefined when it was read, archived, taken back or muted meanwhile, or hours are quiet. */
  async push(notificationId: string, userId: string): Promise<PushPayload | undefined> {
    const found = await this.notifications.ofUser(userId, notificationId);
    if (!found?.push) return undefined;
    const { id, kind, title, body, url, roomId, messageId, count } = found.notification;
    return {
      id,
      kind,
      title,
      body,
      ...(url !== undefined && { url }),
      ...(roomId !== undefined && { roomId }),
      ...(messageId !== undefined && { messageId }),
      count,
      unread: found.unread,
    };
  }

  /** What came or grew after `since` and until `until`, and is still unseen. */
  async digest(userId: string, since: Date, until: Date): Promise<Digest> {
    const unseen = await this.notifications.unseenOf(userId, since, MOST_COUNTED);
    const ripe = unseen.filter(({ updatedAt }) => Date.parse(updatedAt) <= until.getTime());
    return {
      items: ripe.slice(0, MOST_ITEMS),
      more: Math.max(0, ripe.length - MOST_ITEMS),
      leavesSome: ripe.length < unseen.length,
    };
  }
}

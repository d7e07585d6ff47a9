import { CONTRACT_LIMITS } from '../../src/contract/limits.js';
import type { Announcement, Notification, NotificationEvents } from '../../src/contract/notifications.js';

/** An event of `/notifications` that changes what the inbox shows. */
export type InboxEvent = {
  [E in Extract<keyof NotificationEvents, `notification:${string}` | 'announcement'>]: {
    event: E;
    payload: NotificationEvents[E];
  };
}[Exclude<
  Extract<keyof NotificationEvents, `notification:${string}` | 'announcement'>,
  'notification:counts'
>];

interface Page {
  notifications: readonly Notification[];
  cursor?: string;
}

const isNewer = (one: Notification, other: Notification): boolean =>
  one.createdAt === other.createdAt ? one.id > other.id : one.createdAt > other.createdAt;

/**
 * The newest part of an inbox, without what is archived: pages of `notification:list` and the events after them, so
 * that it is at any time what the server would list down to the oldest entry that was read. Events say what holds
 * afterwards, so one that is applied twice, or was in the list already, does no harm.
 */
export class InboxLog {
  private list: readonly Notification[] = [];
  /** The oldest that was read. What is older is on the pages to come. */
  private edge?: Notification;
  private next?: string;

  /** Newest first; the same array until it changes. */
  get notifications(): readonly Notification[] {
    return this.list;
  }
  /** Of the page that follows; undefined: everything is here. */
  get cursor(): string | undefined {
    return this.next;
  }

  /** The newest page, read afresh. */
  start(page: Page): void {
    this.list = [...page.notifications];
    this.turn(page);
  }

  /** The page after what is here. */
  extend(page: Page): void {
    const ids = new Set(page.notifications.map(({ id }) => id));
    this.list = [...this.list.filter(({ id }) => !ids.has(id)), ...page.notifications];
    this.turn(page);
  }

  apply({ event, payload }: InboxEvent): void {
    switch (event) {
      case 'notification:new':
      case 'notification:updated':
        this.put(payload);
        return;
      case 'announcement':
        this.put(asNotification(payload));
        return;
      case 'notification:read':
        this.read(payload);
        return;
      case 'notification:archived':
      case 'notification:removed':
        this.remove(payload.ids);
        return;
    }
  }

  private turn({ notifications, cursor }: Page): void {
    this.edge = notifications.at(-1) ?? this.edge;
    this.next = cursor;
  }

  private put(notification: Notification): void {
    if (notification.archivedAt !== undefined) {
      this.remove([notification.id]);
      return;
    }
    const isKnown = this.list.some(({ id }) => id === notification.id);
    const isBelow = this.edge !== undefined && !isNewer(notification, this.edge);
    if (isKnown) this.list = this.list.map((other) => (other.id === notification.id ? notification : other));
    else if (this.next === undefined || !isBelow) this.insert(notification);
  }

  private insert(notification: Notification): void {
    const at = this.list.findIndex((other) => isNewer(notification, other));
    this.list = this.list.toSpliced(at === -1 ? this.list.length : at, 0, notification);
  }

  private read(what: NotificationEvents['notification:read']): void {
    const concerns =
      'all' in what
        ? ({ createdAt }: Notification) => createdAt <= what.readAt
        : ({ id }: Notification) => what.ids.includes(id);
    const isMarked = (each: Notification) => each.readAt === undefined && concerns(each);
    if (!this.list.some(isMarked)) return;
    this.list = this.list.map((each) => (isMarked(each) ? { ...each, readAt: what.readAt } : each));
  }

  private remove(ids: readonly string[]): void {
    const left = this.list.filter(({ id }) => !ids.includes(id));
    if (left.length < this.list.length) this.list = left;
  }
}

/** An announcement as the inbox lists it. */
function asNotification({ id, title, body, from, createdAt }: Announcement): Notification {
  const excerpt = [...body].slice(0, CONTRACT_LIMITS.notificationBodyLength).join('');
  return {
    id,
    kind: 'announcement',
    title,
    body: excerpt,
    actor: from,
    count: 1,
    createdAt,
    updatedAt: createdAt,
  };
}

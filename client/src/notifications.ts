import { CONTRACT_LIMITS } from '../../src/contract/limits.js';
import type {
  Announcement,
  ListNotifications,
  Notification,
  NotificationCounts,
  NotificationEvents,
  NotificationPreferences,
  SetPreference,
} from '../../src/contract/notifications.js';
import type { CommandOptions } from './command-queue.js';
import { Inbox } from './inbox.js';
import type { NamespaceLink, PartState } from './namespace-link.js';
import { TypedEmitter, type Unsubscribe } from './typed-emitter.js';

/** What `client.notifications` tells; by this or another device. */
export interface NotificationsPartEvents {
  new: Notification;
  /** Another of the same was added, or a message it tells of was deleted. */
  updated: Notification;
  /** What they told of is gone. */
  removed: NotificationEvents['notification:removed'];
  read: NotificationEvents['notification:read'];
  archived: NotificationEvents['notification:archived'];
  counts: NotificationCounts;
  /** Of an administrator, to everybody. */
  announcement: Announcement;
  preferences: NotificationPreferences;
}

/** `client.notifications`: one's inbox, the same on all devices, and what one wants to be told of. */
export class NotificationsPart {
  private readonly events = new TypedEmitter<NotificationsPartEvents>();
  private latestCounts?: NotificationCounts;
  private followed?: Inbox;

  /** Made by the client. */
  constructor(private readonly link: NamespaceLink<'/notifications'>) {
    link.connection.signals.on('otherUser', () => {
      this.latestCounts = undefined;
      this.followed?.forget();
    });
    link.on('notification:counts', (counts) => {
      this.count(counts);
    });
    link.on('preference:updated', (preferences) => {
      this.followed?.prefer(preferences);
      this.events.emit('preferences', preferences);
    });
    this.forward('notification:new', 'new');
    this.forward('notification:updated', 'updated');
    this.forward('notification:removed', 'removed');
    this.forward('notification:read', 'read');
    this.forward('notification:archived', 'archived');
    this.forward('announcement', 'announcement');
  }

  get state(): PartState {
    return this.link.state;
  }
  /** How many are unread, and unseen (the number on the bell); absent until the server has told them. */
  get counts(): NotificationCounts | undefined {
    return this.latestCounts;
  }

  on<K extends keyof NotificationsPartEvents>(
    event: K,
    listener: (payload: NotificationsPartEvents[K]) => void,
  ): Unsubscribe {
    this.link.use();
    return this.events.on(event, listener);
  }

  /** The inbox as it stands and changes; the same one each time. */
  inbox(): Inbox {
    this.link.use();
    this.followed ??= new Inbox(this.link);
    return this.followed;
  }

  /** A page, newest first. For the newest as they change see `inbox()`. */
  list(
    page: ListNotifications = {},
    options?: CommandOptions,
  ): Promise<{ notifications: Notification[]; cursor?: string }> {
    return this.link.send('notification:list', page, options);
  }

  /** The bell was opened: nothing is unseen any more. Not repeated by itself: DISCONNECTED says that it may have been done. */
  async seen(options?: CommandOptions): Promise<NotificationCounts> {
    return this.counted(await this.link.send('notification:seen', {}, options));
  }

  /** Marks these as read, or all there are (as `seen`, not repeated by itself). Unknown ids change nothing. */
  async read(which: readonly string[] | 'all', options?: CommandOptions): Promise<void> {
    if (which === 'all') this.counted(await this.link.send('notification:read', { all: true }, options));
    else
      for (const ids of portions(which))
        this.counted(await this.link.send('notification:read', { ids }, options));
  }

  /** Takes these out of the inbox; they count as read. Unknown ids change nothing. */
  async archive(which: readonly string[], options?: CommandOptions): Promise<void> {
    for (const ids of portions(which))
      this.counted(await this.link.send('notification:archive', { ids }, options));
  }

  async preferences(options?: CommandOptions): Promise<NotificationPreferences> {
    return (await this.link.send('preference:get', {}, options)).preferences;
  }

  /** One of three: of a room, of a kind, or the quiet hours. NOT_FOUND (a room one is not in), VALIDATION_FAILED. */
  async setPreference(change: SetPreference, options?: CommandOptions): Promise<NotificationPreferences> {
    return (await this.link.send('preference:set', change, options)).preferences;
  }

  private forward<
    W extends Exclude<keyof NotificationEvents, 'notification:counts' | 'preference:updated'>,
    K extends keyof NotificationsPartEvents,
  >(wire: W, event: K & (NotificationsPartEvents[K] extends NotificationEvents[W] ? K : never)): void {
    this.link.on(wire, (payload) => {
      // One name, one payload: the inbox narrows by the name again.
      this.followed?.receive({ event: wire, payload } as Parameters<Inbox['receive']>[0]);
      this.events.emit(event, payload as unknown as NotificationsPartEvents[K]);
    });
  }

  private counted({ counts }: { counts: NotificationCounts }): NotificationCounts {
    this.count(counts);
    return counts;
  }

  /** The highest version wins: an answer may come after a later event. */
  private count(counts: NotificationCounts): void {
    const before = this.latestCounts;
    if (before !== undefined && counts.version < before.version) return;
    this.latestCounts = counts;
    if (
      before?.version !== counts.version ||
      before.unread !== counts.unread ||
      before.unseen !== counts.unseen
    )
      this.events.emit('counts', counts);
  }
}

function portions(ids: readonly string[]): string[][] {
  const distinct = [...new Set(ids)];
  const size = CONTRACT_LIMITS.notificationIds;
  return Array.from({ length: Math.ceil(distinct.length / size) }, (_, index) =>
    distinct.slice(index * size, (index + 1) * size),
  );
}

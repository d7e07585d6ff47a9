import { CONTRACT_LIMITS } from '../../src/contract/limits.js';
import type { Notification, NotificationPreferences } from '../../src/contract/notifications.js';
import { ParleyError } from './errors.js';
import { InboxLog, type InboxEvent } from './inbox-log.js';
import type { NamespaceLink } from './namespace-link.js';
import { jitter, obeying, sleep } from './timing.js';
import { TypedEmitter, type Unsubscribe } from './typed-emitter.js';

/** What an inbox shows at one moment; a new object only when something changed. */
export interface InboxSnapshot {
  /** What is not archived, newest first. */
  readonly notifications: readonly Notification[];
  /** Whether `more()` can read older ones. */
  readonly hasMore: boolean;
  /** False until it was read, and while the connection is down: then it shows what was last known. */
  readonly isCurrent: boolean;
}

/**
 * One's inbox, followed: the newest page, and older ones as far as they were asked for, kept as the server would list
 * them. Read afresh (the newest page) after every reconnect. `subscribe` and `getSnapshot` fit React's
 * `useSyncExternalStore`.
 */
export class Inbox {
  private readonly events = new TypedEmitter<{ change: InboxSnapshot }>();
  private log = new InboxLog();
  /** What came while a page was on its way, for each such page: it may or may not be in it. */
  private readonly recordings = new Set<InboxEvent[]>();
  private current: InboxSnapshot = { notifications: [], hasMore: false, isCurrent: false };
  private isCurrent = false;
  /** Grows with each connection, so that a page of an old one is recognised. */
  private epoch = 0;
  private extending?: Promise<void>;
  /** Announcements come to everybody, but those who have them off do not have them in the inbox. */
  private showsAnnouncements = true;

  /** Made by `client.notifications.inbox()`. */
  constructor(private readonly link: NamespaceLink<'/notifications'>) {
    link.onState(() => {
      this.begin();
    });
    this.begin();
  }

  /** Told after every change. */
  readonly subscribe = (listener: (snapshot: InboxSnapshot) => void): Unsubscribe =>
    this.events.on('change', listener);

  readonly getSnapshot = (): InboxSnapshot => this.current;

  /** Reads the page that follows, if there is one. */
  more(): Promise<void> {
    this.extending ??= this.extend(this.epoch).finally(() => (this.extending = undefined));
    return this.extending;
  }

  /** An event of the namespace. Called by the notifications part. */
  receive(event: InboxEvent): void {
    for (const recording of this.recordings) recording.push(event);
    this.apply(event);
    this.show();
    this.refill();
  }

  /** With announcements, those of the past come and go. Called by the notifications part. */
  prefer({ kinds }: NotificationPreferences): void {
    if (kinds.announcement.inApp === this.showsAnnouncements) return;
    this.showsAnnouncements = kinds.announcement.inApp;
    this.begin();
  }

  /** Another person uses the client. Called by the notifications part. */
  forget(): void {
    this.log = new InboxLog();
    this.showsAnnouncements = true;
    this.begin();
  }

  private begin(): void {
    this.epoch += 1;
    this.isCurrent = false;
    this.show();
    if (this.link.state === 'joined') void this.load(this.epoch);
  }

  private apply(event: InboxEvent): void {
    if (event.event !== 'announcement' || this.showsAnnouncements) this.log.apply(event);
  }

  private async load(epoch: number): Promise<void> {
    for (let failures = 0; epoch === this.epoch; failures += 1) {
      try {
        const { preferences } = await this.link.send('preference:get', {});
        if (epoch !== this.epoch) return;
        this.showsAnnouncements = preferences.kinds.announcement.inApp;
        await this.read(epoch, undefined);
        return;
      } catch (cause) {
        const error = ParleyError.from(cause);
        if (!error.retryable) return;
        const { timing } = this.link.connection.options;
        await sleep(
          error.retryAfterMs === undefined ? jitter(timing, failures) : obeying(timing, error.retryAfterMs),
        );
      }
    }
  }

  private async extend(epoch: number): Promise<void> {
    const { cursor } = this.log;
    if (cursor !== undefined && this.isCurrent) await this.read(epoch, cursor);
  }

  /** Events in the meantime are shown at once, and applied again on top of the page. */
  private async read(epoch: number, cursor: string | undefined): Promise<void> {
    const recording: InboxEvent[] = [];
    this.recordings.add(recording);
    try {
      const page = await this.link.send('notification:list', cursor === undefined ? {} : { cursor });
      if (epoch !== this.epoch) return;
      if (cursor === undefined) this.log.start(page);
      else this.log.extend(page);
    } finally {
      this.recordings.delete(recording);
    }
    for (const event of recording) this.apply(event);
    this.isCurrent = true;
    this.show();
    this.refill();
  }

  /** What was archived or removed leaves room for older ones. */
  private refill(): void {
    if (this.log.notifications.length < CONTRACT_LIMITS.notificationsPage && this.log.cursor !== undefined)
      this.more().catch(() => undefined);
  }

  private show(): void {
    const { notifications, cursor } = this.log;
    const { isCurrent, current } = this;
    const hasMore = cursor !== undefined;
    if (
      current.notifications === notifications &&
      current.hasMore === hasMore &&
      current.isCurrent === isCurrent
    )
      return;
    this.current = { notifications, hasMore, isCurrent };
    this.events.emit('change', this.current);
  }
}

import type {
  OwnPresence,
  OwnStatus,
  Presence,
  PresenceEvents,
  SetPresence,
} from '../../src/contract/presence.js';
import type { CommandOptions } from './command-queue.js';
import type { NamespaceLink, PartState } from './namespace-link.js';
import { PresenceWatches, type PresenceWatch } from './presence-watches.js';
import { TypedEmitter, type Unsubscribe } from './typed-emitter.js';

/** What `client.presence` tells. */
export interface PresencePartEvents {
  /** What is known of these people changed. */
  change: readonly Presence[];
  /** Nothing is known of these people any more: they cannot be seen, or nobody here watches them. Ids of users. */
  forgotten: readonly string[];
  /** One's own setting, by this or another device. */
  own: OwnPresence;
  /** `isCurrent` changed. */
  current: boolean;
}

interface PageSignals {
  addEventListener?: (event: string, listener: () => void, options: object) => void;
  removeEventListener?: (event: string, listener: () => void, options: object) => void;
}
const PAGE_ACTIVITY = ['pointerdown', 'pointermove', 'keydown', 'wheel'];
const PAGE_OPTIONS = { capture: true, passive: true };
/** Best effort: nobody waits for it. */
const ACTIVITY_TIMEOUT_MS = 5000;

/**
 * `client.presence`: who is there, and one's own status. Knows the people of one's direct rooms and those who are
 * watched. While the connection is down it keeps what was last known, and `isCurrent` is false.
 */
export class PresencePart {
  private readonly events = new TypedEmitter<PresencePartEvents>();
  private readonly watches: PresenceWatches;
  private readonly known = new Map<string, Presence>();
  /** Known from an earlier connection only. */
  private readonly stale = new Set<string>();
  /** The people of one's direct rooms: known without being watched. */
  private readonly direct = new Set<string>();
  private ownPresence?: OwnPresence;
  private wasCurrent = false;
  private activeAt = Number.NEGATIVE_INFINITY;

  /** Made by the client. */
  constructor(private readonly link: NamespaceLink<'/presence'>) {
    this.watches = new PresenceWatches(link, (userIds) => {
      this.unwatched(userIds);
    });
    link.connection.signals.on('otherUser', () => {
      this.ownPresence = undefined;
      this.activeAt = Number.NEGATIVE_INFINITY;
      this.forget([...this.known.keys()]);
    });
    link.on('presence:own', (own) => {
      this.setOwn(own);
    });
    link.on('presence:list', (list) => {
      this.list(list);
    });
    link.on('presence:update', ({ users }) => {
      this.learn(users);
    });
    link.on('presence:removed', ({ userIds }) => {
      this.watches.removed(userIds);
      this.forget(userIds);
    });
    link.onState((state) => {
      if (state !== 'joined') for (const userId of this.known.keys()) this.stale.add(userId);
      this.compareCurrent();
    });
  }

  get state(): PartState {
    return this.link.state;
  }
  /** One's own setting; absent until the server has told it. */
  get own(): OwnPresence | undefined {
    return this.ownPresence;
  }
  /** Whether what `get` says holds now: the namespace is joined, and the server has answered for all who are watched. */
  get isCurrent(): boolean {
    return this.link.state === 'joined' && this.watches.isSettled;
  }

  /** What is known of somebody. Undefined: not watched, cannot be seen, or not answered yet. */
  get(userId: string): Presence | undefined {
    return this.known.get(userId);
  }

  on<K extends keyof PresencePartEvents>(
    event: K,
    listener: (payload: PresencePartEvents[K]) => void,
  ): Unsubscribe {
    this.link.use();
    return this.events.on(event, listener);
  }

  /**
   * Sets one's status on all devices. With `until` (ISO 8601 or a `Date`) the state before it comes back then; without
   * `text` there is none. VALIDATION_FAILED.
   */
  async set(
    status: OwnStatus,
    { text, until }: { text?: string; until?: string | Date } = {},
    options?: CommandOptions,
  ): Promise<OwnPresence> {
    const payload: SetPresence = { status };
    if (text !== undefined) payload.text = text;
    if (until !== undefined) payload.until = typeof until === 'string' ? until : until.toISOString();
    const before = this.ownPresence;
    const { presence } = await this.link.send('presence:set', payload, options);
    // An event that came meanwhile is this very setting, or a later one of another device.
    if (this.ownPresence === before) this.setOwn(presence);
    return presence;
  }

  /**
   * The person did something: keeps them from being shown as away. Call it as often as you like; it is sent once a
   * minute at most, and not at all while there is no connection. Sending, reading and typing count by themselves.
   */
  activity(): void {
    const { connection } = this.link;
    const now = Date.now();
    if (connection.state !== 'connected' || now - this.activeAt < connection.options.timing.activityMs)
      return;
    this.activeAt = now;
    this.link.send('presence:activity', {}, { timeoutMs: ACTIVITY_TIMEOUT_MS }).catch(() => undefined);
  }

  /** Calls `activity()` when the pointer or the keyboard of the page is used, until it is ended. Elsewhere it does nothing. */
  trackActivity(): Unsubscribe {
    const page = globalThis as PageSignals;
    const note = () => {
      this.activity();
    };
    for (const event of PAGE_ACTIVITY) page.addEventListener?.(event, note, PAGE_OPTIONS);
    return () => {
      for (const event of PAGE_ACTIVITY) page.removeEventListener?.(event, note, PAGE_OPTIONS);
    };
  }

  /**
   * Wants to know of these people until the watch is stopped: over reconnects, and however many others here watch the
   * same people. At most 500 in all, beside those of one's direct rooms. Those one may not see stay unknown; after
   * coming to share a room with them, watch them again.
   */
  watch(userIds: readonly string[]): PresenceWatch {
    const watch = this.watches.add(userIds);
    this.compareCurrent();
    return watch;
  }

  private setOwn(own: OwnPresence): void {
    this.ownPresence = own;
    this.events.emit('own', own);
  }

  /** The state of these people at this moment. The first list of a connection has all of one's direct rooms. */
  private list({ users, of }: PresenceEvents['presence:list']): void {
    const isOpening = this.link.state === 'joining';
    if (isOpening) this.direct.clear();
    if (of === 'direct') for (const { userId } of users) this.direct.add(userId);
    else this.watches.listed(users);
    this.learn(users);
    if (isOpening) this.forget([...this.stale].filter((userId) => !this.watches.has(userId)));
  }

  /** Without those whose watch was stopped while it was on its way. */
  private learn(users: readonly Presence[]): void {
    const followed = users.filter(({ userId }) => this.direct.has(userId) || this.watches.has(userId));
    for (const presence of followed) {
      this.known.set(presence.userId, presence);
      this.stale.delete(presence.userId);
    }
    if (followed.length > 0) this.events.emit('change', followed);
  }

  private unwatched(userIds: readonly string[]): void {
    this.forget(userIds.filter((userId) => !this.direct.has(userId)));
    this.compareCurrent();
  }

  private forget(userIds: readonly string[]): void {
    const forgotten = userIds.filter((userId) => this.known.delete(userId));
    for (const userId of userIds) {
      this.stale.delete(userId);
      this.direct.delete(userId);
    }
    if (forgotten.length > 0) this.events.emit('forgotten', forgotten);
  }

  private compareCurrent(): void {
    const { isCurrent } = this;
    if (isCurrent === this.wasCurrent) return;
    this.wasCurrent = isCurrent;
    this.events.emit('current', isCurrent);
  }
}

import type { Presence, PresenceEvents } from '../contract/presence.js';
import type { RealtimeSocket } from '../platform/realtime/realtime-socket.js';
import { newest, presenceView, samePresence, type PresenceState } from './presence.view.js';

/** Between two `presence:update` of one socket. */
const FRAME_MS = 1000;

/** Why a list is sent. */
export type ListKind = PresenceEvents['presence:list']['of'];

/** Somebody that a socket watches. */
export interface Watched {
  /** By `presence:watch`; the people of direct rooms are watched without. */
  asked: boolean;
  direct: boolean;
  /** Lists under way that will show them. */
  pending: number;
  /** The newest state that was heard. Until they were listed it only waits. */
  state?: PresenceState;
  /** What the socket was told last. Absent: they were not listed yet. */
  sent?: Presence;
  /** By the count of checks: when it was last found that they may be seen. */
  checkedAt: number;
}

/** What one socket of `/presence` watches. */
export class Watcher {
  readonly watched = new Map<string, Watched>();
  /** By the count of checks: when something last happened that may have ended what this one may see. */
  endedAt = 0;
  open = true;
  private listed: Promise<unknown> = Promise.resolve();
  private readonly changed = new Set<string>();
  private sentAt = -Infinity;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    readonly socket: RealtimeSocket,
    private readonly send: (users: Presence[]) => void,
  ) {}

  get userId(): string {
    return this.socket.data.actor.userId;
  }

  get seesEverybody(): boolean {
    return this.socket.data.actor.role === 'admin';
  }

  get asked(): number {
    return this.countBy('asked');
  }

  get direct(): number {
    return this.countBy('direct');
  }

  /** Notes what was heard; `flush` sends it. True when it is news to the socket. */
  hear(state: PresenceState): void {
    const entry = this.watched.get(state.userId);
    if (!entry) return;
    entry.state = newest(entry.state, state);
    if (!entry.sent) return;
    if (samePresence(presenceView(entry.state), entry.sent)) this.changed.delete(state.userId);
    else this.changed.add(state.userId);
  }

  /** At once when the last frame is long enough ago, else when it is. */
  flush(): void {
    if (this.changed.size === 0 || this.timer) return;
    const wait = this.sentAt + FRAME_MS - performance.now();
    if (wait <= 0) {
      this.frame();
      return;
    }
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.flush();
    }, wait);
  }

  /** After the lists that were asked for before, so that they leave in the order of their commands. */
  inOrder(list: () => Promise<void>): Promise<void> {
    const done = this.listed.then(list);
    this.listed = done.catch(() => undefined);
    return done;
  }

  /** The list as it is to be sent now: what was heard meanwhile is newer than what was read. */
  list(states: readonly PresenceState[], checkedAt: number): Presence[] {
    return states.flatMap((state) => {
      const entry = this.watched.get(state.userId);
      if (!entry) return [];
      entry.state = newest(entry.state, state);
      entry.sent = presenceView(entry.state);
      entry.checkedAt = checkedAt;
      this.changed.delete(state.userId);
      return [entry.sent];
    });
  }

  /** They are not listed any more. True when the socket had been told of them. */
  unlist(userId: string): boolean {
    const entry = this.watched.get(userId);
    if (!entry?.sent) return false;
    delete entry.sent;
    this.changed.delete(userId);
    return true;
  }

  /** True when the socket had been told of them. */
  drop(userId: string): boolean {
    const entry = this.watched.get(userId);
    this.watched.delete(userId);
    this.changed.delete(userId);
    return entry?.sent !== undefined;
  }

  close(): void {
    this.open = false;
    clearTimeout(this.timer);
  }

  private countBy(why: 'asked' | 'direct'): number {
    let count = 0;
    for (const entry of this.watched.values()) if (entry[why]) count += 1;
    return count;
  }

  private frame(): void {
    const users: Presence[] = [];
    for (const userId of this.changed) {
      const entry = this.watched.get(userId);
      if (!entry?.state) continue;
      entry.sent = presenceView(entry.state);
      users.push(entry.sent);
    }
    this.changed.clear();
    this.sentAt = performance.now();
    this.send(users);
  }
}

/** The watchers of this node, and by whom each user is watched: a change costs as much as there are watchers of it. */
export class Watchers {
  private readonly bySocket = new Map<RealtimeSocket, Watcher>();
  private readonly byUser = new Map<string, Set<Watcher>>();
  private readonly byWatched = new Map<string, Set<Watcher>>();

  add(socket: RealtimeSocket, send: (users: Presence[]) => void): Watcher {
    const watcher = new Watcher(socket, send);
    this.bySocket.set(socket, watcher);
    put(this.byUser, watcher.userId, watcher);
    return watcher;
  }

  remove(watcher: Watcher): void {
    watcher.close();
    this.bySocket.delete(watcher.socket);
    take(this.byUser, watcher.userId, watcher);
    for (const userId of watcher.watched.keys()) take(this.byWatched, userId, watcher);
  }

  of(socket: RealtimeSocket): Watcher | undefined {
    return this.bySocket.get(socket);
  }

  ofUser(userId: string): Watcher[] {
    return [...(this.byUser.get(userId) ?? [])];
  }

  watching(userId: string): Watcher[] {
    return [...(this.byWatched.get(userId) ?? [])];
  }

  watch(watcher: Watcher, userId: string, of: ListKind): void {
    const entry = watcher.watched.get(userId) ?? { asked: false, direct: false, pending: 0, checkedAt: 0 };
    if (of === 'watched') entry.asked = true;
    else entry.direct = true;
    entry.pending += 1;
    watcher.watched.set(userId, entry);
    put(this.byWatched, userId, watcher);
  }

  /** True when the socket had been told of them. */
  unwatch(watcher: Watcher, userId: string): boolean {
    take(this.byWatched, userId, watcher);
    return watcher.drop(userId);
  }

  /** All that changed together goes into the same frame. */
  hear(states: readonly PresenceState[]): void {
    const reached = new Set<Watcher>();
    for (const state of states)
      for (const watcher of this.byWatched.get(state.userId) ?? []) {
        watcher.hear(state);
        reached.add(watcher);
      }
    for (const watcher of reached) watcher.flush();
  }

  close(): void {
    for (const watcher of this.bySocket.values()) watcher.close();
  }
}

function put(map: Map<string, Set<Watcher>>, key: string, watcher: Watcher): void {
  const set = map.get(key) ?? new Set();
  map.set(key, set.add(watcher));
}

function take(map: Map<string, Set<Watcher>>, key: string, watcher: Watcher): void {
  const set = map.get(key);
  set?.delete(watcher);
  if (set?.size === 0) map.delete(key);
}

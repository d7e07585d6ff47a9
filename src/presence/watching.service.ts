import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { CONTRACT_LIMITS } from '../contract/limits.js';
import { AppError } from '../platform/errors/app-error.js';
import { DomainEvents } from '../platform/events/domain-events.js';
import { Publisher } from '../platform/realtime/publisher.js';
import type { RealtimeSocket } from '../platform/realtime/realtime-socket.js';
import { MemberJoined, MemberLeft } from '../rooms/rooms.events.js';
import { UserRoleChanged } from '../users/users.events.js';
import { PresenceChanged } from './presence.events.js';
import { PresenceList } from './presence-list.service.js';
import { PresenceRepository } from './presence.repository.js';
import { Watchers, type ListKind, type Watcher } from './watchers.js';

/**
 * Who watches whom: snapshot, then differences. A user is watched before they are read, so nothing is missed between;
 * what is heard meanwhile waits for the list. When a room is left, and when an administrator becomes a user, what
 * they may still see is read again.
 */
@Injectable()
export class Watching implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(Watching.name);
  private readonly watchers = new Watchers();
  /** Counts checks and what may end them, so that it is known which of two came first. */
  private count = 0;
  /** Rooms somebody joined who watches, of one turn of the event loop. */
  private joined: Set<string> | undefined;

  constructor(
    private readonly events: DomainEvents,
    private readonly publisher: Publisher,
    private readonly repository: PresenceRepository,
    private readonly presences: PresenceList,
  ) {}

  onModuleInit(): void {
    this.events.on(PresenceChanged, ({ states }) => this.watchers.hear(states));
    this.events.on(MemberJoined, ({ roomId, userId }) => this.memberJoined(roomId, userId));
    this.events.on(MemberLeft, ({ userId }) => this.visibilityEnded(userId));
    this.events.on(UserRoleChanged, ({ userId, role }) =>
      role === 'admin' ? undefined : this.visibilityEnded(userId),
    );
  }

  onModuleDestroy(): void {
    this.watchers.close();
  }

  /** A fresh socket watches the people of its user's direct rooms. */
  async begin(socket: RealtimeSocket): Promise<void> {
    if (!socket.connected) return;
    const watcher = this.watchers.add(socket, (users) =>
      this.publisher.presence.toSocket(socket, 'presence:update', { users }),
    );
    socket.once('disconnect', () => this.watchers.remove(watcher));
    await watcher.inOrder(async () => {
      const people = await this.repository.directPeople(watcher.userId, CONTRACT_LIMITS.watchedUsers);
      this.mark(watcher, people, 'direct');
      await this.send(watcher, people, 'direct');
    });
  }

  async watch(socket: RealtimeSocket, userIds: readonly string[]): Promise<void> {
    const watcher = this.watcherOf(socket);
    const wanted = [...new Set(userIds)];
    const more = wanted.filter((userId) => !watcher.watched.get(userId)?.asked);
    // Before it is known who of them may be seen, so that the refusal does not tell.
    if (watcher.asked + more.length > CONTRACT_LIMITS.watchedUsers)
      throw new AppError(
        'LIMIT_EXCEEDED',
        `At most ${String(CONTRACT_LIMITS.watchedUsers)} users can be watched`,
      );
    await this.list(watcher, wanted, 'watched');
  }

  /** Ends what `presence:watch` began. The people of direct rooms stay watched. */
  unwatch(socket: RealtimeSocket, userIds: readonly string[]): void {
    const watcher = this.watcherOf(socket);
    for (const userId of userIds) {
      const entry = watcher.watched.get(userId);
      if (!entry) continue;
      entry.asked = false;
      if (!entry.direct) this.watchers.unwatch(watcher, userId);
    }
  }

  private list(watcher: Watcher, userIds: readonly string[], of: ListKind): Promise<void> {
    // At once, so that the commands behind this one count with them.
    this.mark(watcher, userIds, of);
    return watcher.inOrder(() => this.send(watcher, userIds, of));
  }

  private mark(watcher: Watcher, userIds: readonly string[], of: ListKind): void {
    for (const userId of userIds) this.watchers.watch(watcher, userId, of);
  }

  private async send(watcher: Watcher, userIds: readonly string[], of: ListKind): Promise<void> {
    try {
      const { states, checkedAt } = await this.visibleTo(watcher, userIds);
      if (!watcher.open) return;
      this.publisher.presence.toSocket(watcher.socket, 'presence:list', {
        users: watcher.list(states, checkedAt),
        of,
      });
      const listed = new Set(states.map((state) => state.userId));
      this.remove(
        watcher,
        userIds.filter((userId) => !listed.has(userId) && watcher.unlist(userId)),
      );
    } finally {
      for (const userId of userIds) this.settle(watcher, userId);
    }
  }

  /** Read again when something ended meanwhile: what was read may be from before. */
  private async visibleTo(watcher: Watcher, userIds: readonly string[]) {
    for (;;) {
      const startedAt = (this.count += 1);
      const { userId, role } = watcher.socket.data.actor;
      const states = userIds.length > 0 ? await this.presences.states({ userId, role }, userIds) : [];
      if (watcher.endedAt < startedAt) return { states, checkedAt: (this.count += 1) };
    }
  }

  /** Who could not be listed is not watched. */
  private settle(watcher: Watcher, userId: string): void {
    const entry = watcher.watched.get(userId);
    if (!entry) return;
    entry.pending = Math.max(0, entry.pending - 1);
    if (!entry.sent && entry.pending === 0) this.watchers.unwatch(watcher, userId);
  }

  /** The people of a new direct room are watched by those who are connected; many members joining cost one read. */
  private memberJoined(roomId: string, userId: string): Promise<void> | undefined {
    if (this.watchers.ofUser(userId).length === 0) return undefined;
    if (this.joined) {
      this.joined.add(roomId);
      return undefined;
    }
    const joined = (this.joined = new Set([roomId]));
    return Promise.resolve().then(() => {
      this.joined = undefined;
      return this.watchDirect([...joined]);
    });
  }

  private async watchDirect(roomIds: readonly string[]): Promise<void> {
    const members = await this.repository.directMembers(roomIds);
    const others = new Map<Watcher, Set<string>>();
    for (const { roomId, userId } of members)
      for (const watcher of this.watchers.ofUser(userId)) {
        const people = others.get(watcher) ?? new Set();
        others.set(watcher, people);
        for (const member of members)
          if (member.roomId === roomId && member.userId !== userId) people.add(member.userId);
      }
    await Promise.all([...others].map(([watcher, people]) => this.watchMore(watcher, [...people])));
  }

  private async watchMore(watcher: Watcher, people: readonly string[]): Promise<void> {
    const room = Math.max(0, CONTRACT_LIMITS.watchedUsers - watcher.direct);
    const added = people.filter((userId) => !watcher.watched.get(userId)?.direct).slice(0, room);
    if (added.length > 0) await this.list(watcher, added, 'direct');
  }

  /** The user left a room, or lost a role: does anybody still see them, do they still see anybody? One read for all. */
  private async visibilityEnded(userId: string): Promise<void> {
    const own = this.watchers.ofUser(userId);
    const others = this.watchers.watching(userId);
    const startedAt = (this.count += 1);
    for (const watcher of [...own, ...others]) watcher.endedAt = startedAt;
    const concerned = new Set(others.map((watcher) => watcher.userId));
    for (const watcher of own) for (const watched of watcher.watched.keys()) concerned.add(watched);
    concerned.delete(userId);
    if (concerned.size === 0) return;
    const sharing = await this.sharing(userId, [...concerned]);
    const ended = [...concerned].filter((other) => !sharing.has(other));
    for (const watcher of own) this.end(watcher, ended, startedAt);
    for (const watcher of others)
      if (watcher.userId !== userId && !sharing.has(watcher.userId)) this.end(watcher, [userId], startedAt);
  }

  /** Who could not be found to share a room is not seen any more: they may be watched again. */
  private async sharing(userId: string, others: readonly string[]): Promise<ReadonlySet<string>> {
    try {
      return await this.repository.sharing(userId, others);
    } catch (error) {
      this.logger.error({ err: error }, 'It could not be read who is still to be seen; they are removed');
      return new Set();
    }
  }

  /** But for what was checked since: that is newer. */
  private end(watcher: Watcher, userIds: readonly string[], startedAt: number): void {
    if (watcher.seesEverybody || !watcher.open) return;
    const removed = userIds.filter((userId) => {
      const entry = watcher.watched.get(userId);
      // Who is not listed yet is decided by the list.
      return entry?.sent && entry.checkedAt < startedAt && this.watchers.unwatch(watcher, userId);
    });
    this.remove(watcher, removed);
  }

  private remove(watcher: Watcher, userIds: string[]): void {
    if (userIds.length > 0) this.publisher.presence.toSocket(watcher.socket, 'presence:removed', { userIds });
  }

  private watcherOf(socket: RealtimeSocket): Watcher {
    const watcher = this.watchers.of(socket);
    if (!watcher) throw new AppError('UNAVAILABLE', 'The socket is not open yet', { retryAfterMs: 100 });
    return watcher;
  }
}

import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { NotificationCounts } from '../contract/notifications.js';
import { DomainEvents } from '../platform/events/domain-events.js';
import { SocketClosed, SocketOpened } from '../platform/realtime/connections.events.js';
import { InboxesRepository } from './inboxes.repository.js';

const NAMESPACE = '/notifications';

/** Whose inbox is open on this node, and in which rooms they have something unread: what an ordinary send may look at. */
@Injectable()
export class OpenInboxes implements OnModuleInit {
  private readonly users = new Map<string, { sockets: number; unreadRooms: ReadonlySet<string> }>();

  constructor(
    private readonly events: DomainEvents,
    private readonly inboxes: InboxesRepository,
  ) {}

  onModuleInit(): void {
    this.events.on(SocketOpened, ({ userId, namespace }) => {
      if (namespace === NAMESPACE) this.opened(userId);
    });
    this.events.on(SocketClosed, ({ userId, namespace }) => {
      if (namespace === NAMESPACE) this.closed(userId);
    });
  }

  has(userId: string): boolean {
    return this.users.has(userId);
  }

  all(): string[] {
    return [...this.users.keys()];
  }

  /** As far as it was known when the counts were last read. */
  hasUnreadIn(userId: string, roomId: string): boolean {
    return this.users.get(userId)?.unreadRooms.has(roomId) ?? false;
  }

  async counts(userIds: readonly string[]): Promise<{ userId: string; counts: NotificationCounts }[]> {
    const rows = userIds.length > 0 ? await this.inboxes.counts(userIds) : [];
    return rows.map(({ userId, unreadRooms, unread, unseen, version }) => {
      const open = this.users.get(userId);
      if (open) open.unreadRooms = new Set(unreadRooms);
      return { userId, counts: { unread, unseen, version } };
    });
  }

  private opened(userId: string): void {
    const open = this.users.get(userId);
    if (open) open.sockets += 1;
    else this.users.set(userId, { sockets: 1, unreadRooms: new Set() });
  }

  private closed(userId: string): void {
    const open = this.users.get(userId);
    if (open && --open.sockets === 0) this.users.delete(userId);
  }
}

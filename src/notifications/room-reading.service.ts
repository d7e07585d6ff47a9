import { Injectable, type OnModuleInit } from '@nestjs/common';
import { MessageCreated, MessagesRead } from '../messages/messages.events.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { DomainEvents } from '../platform/events/domain-events.js';
import { InboxesRepository } from './inboxes.repository.js';
import { NotificationsRead, NotificationsTold } from './notifications.events.js';
import { NotificationsRepository } from './notifications.repository.js';
import { OpenInboxes } from './open-inboxes.js';

/**
 * Whoever reads a room has read what their inbox tells of it. Read positions are the truth: the events that lead here
 * may be lost, and the next look into the inbox catches up.
 */
@Injectable()
export class RoomReading implements OnModuleInit {
  private readonly waiting = new Set<string>();
  private running: Promise<void> | undefined;

  constructor(
    private readonly events: DomainEvents,
    private readonly unitOfWork: UnitOfWork,
    private readonly inboxes: InboxesRepository,
    private readonly notifications: NotificationsRepository,
    private readonly open: OpenInboxes,
  ) {}

  onModuleInit(): void {
    this.events.on(MessagesRead, ({ userId }) => this.soon([userId]));
    // A send reads the room for its sender: this runs for each, and costs two look-ups in maps.
    this.events.on(MessageCreated, ({ message: { sender, roomId } }) =>
      this.open.hasUnreadIn(sender.id, roomId) ? this.soon([sender.id]) : undefined,
    );
    // What was read while it was being decided.
    this.events.on(NotificationsTold, ({ told }) =>
      this.soon(told.flatMap(({ userId, notification }) => (notification.messageId ? [userId] : []))),
    );
  }

  /** Marks what these users have read in their rooms. One look when there is nothing to mark. */
  async catchUp(userIds: readonly string[]): Promise<void> {
    const behind = userIds.length > 0 ? await this.notifications.behind(userIds) : [];
    if (behind.length === 0) return;
    await this.unitOfWork.run(async (tx) => {
      const { now } = await this.inboxes.lock(tx, behind);
      const marked = idsByUser(await this.notifications.catchUp(tx, behind, now));
      await this.inboxes.changed(tx, [...marked.keys()]);
      for (const [userId, ids] of marked) tx.raise(new NotificationsRead(userId, ids, now));
    });
  }

  /** Hints must not take the connections that writers and readers need: one at a time, for all who wait. */
  private soon(userIds: readonly string[]): Promise<void> | undefined {
    for (const userId of userIds) this.waiting.add(userId);
    return this.waiting.size > 0 ? (this.running ??= this.work()) : undefined;
  }

  private async work(): Promise<void> {
    try {
      while (this.waiting.size > 0) {
        const userIds = [...this.waiting];
        this.waiting.clear();
        await this.catchUp(userIds);
      }
    } finally {
      this.running = undefined;
    }
  }
}

function idsByUser(rows: readonly { id: string; userId: string }[]): Map<string, string[]> {
  const ids = new Map<string, string[]>();
  for (const { id, userId } of rows) ids.set(userId, [...(ids.get(userId) ?? []), id]);
  return ids;
}

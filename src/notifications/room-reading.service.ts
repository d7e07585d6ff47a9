import { Injectable, type OnModuleInit } from '@nestjs/common';
import { MessagesCommitted, MessagesRead } from '../messages/messages.events.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { DomainEvents } from '../platform/events/domain-events.js';
import { InboxesRepository } from './inboxes.repository.js';
import { NotificationsRead, NotificationsTakenBack, NotificationsTold } from './notifications.events.js';
import { OpenInboxes } from './open-inboxes.js';
import { RoomReadingRepository, type ReadRoom } from './room-reading.repository.js';

/** Notifications marked in one transaction: an inbox is held for a short time only, and no event is huge. */
const CHUNK = 1000;

/**
 * Whoever reads a room has read what their inbox tells of it. Read positions are the truth: the events that lead here
 * may be lost, and are of no use to who has no inbox open. The next look into the inbox catches up.
 */
@Injectable()
export class RoomReading implements OnModuleInit {
  private waiting = new Map<string, ReadRoom>();
  private running: Promise<void> | undefined;

  constructor(
    private readonly events: DomainEvents,
    private readonly unitOfWork: UnitOfWork,
    private readonly inboxes: InboxesRepository,
    private readonly rooms: RoomReadingRepository,
    private readonly open: OpenInboxes,
  ) {}

  onModuleInit(): void {
    this.events.on(MessagesRead, ({ userId, roomId }) => this.soon([{ userId, roomId }]));
    // A send reads the room for its sender: this runs for each, and costs two look-ups in maps.
    this.events.on(MessagesCommitted, ({ roomId, created }) => {
      const senders = new Set(created.map(({ sender }) => sender.id));
      const reading = [...senders].filter((userId) => this.open.hasUnreadIn(userId, roomId));
      return reading.length > 0 ? this.soon(reading.map((userId) => ({ userId, roomId }))) : undefined;
    });
    // What was read while it was being decided.
    this.events.on(NotificationsTold, ({ told }) => this.soon(roomsOf(told)));
    // What remains may be older than what was read.
    this.events.on(NotificationsTakenBack, ({ refreshed }) => this.soon(roomsOf(refreshed)));
  }

  /** Marks what these users have read in their rooms. One look when there is nothing to mark. */
  async catchUp(userIds: readonly string[]): Promise<void> {
    if (userIds.length > 0) await this.mark(await this.rooms.behind(userIds));
  }

  private async mark(rooms: ReadRoom[]): Promise<void> {
    if (rooms.length === 0) return;
    const userIds = rooms.map(({ userId }) => userId);
    let marked: number;
    do
      marked = await this.unitOfWork.run(async (tx) => {
        const { now } = await this.inboxes.lock(tx, userIds);
        const rows = await this.rooms.mark(tx, rooms, now, CHUNK);
        const ids = idsByUser(rows);
        await this.inboxes.changed(tx, [...ids.keys()]);
        for (const [userId, own] of ids) tx.raise(new NotificationsRead(userId, own, now));
        return rows.length;
      });
    while (marked === CHUNK);
  }

  /** Hints must not take the connections that writers and readers need: one at a time, for all who wait. */
  private soon(rooms: readonly ReadRoom[]): Promise<void> | undefined {
    for (const room of rooms)
      // NUL is in neither of the parts.
      if (this.open.has(room.userId)) this.waiting.set(`${room.userId}\0${room.roomId}`, room);
    return this.waiting.size > 0 ? (this.running ??= this.work()) : undefined;
  }

  private async work(): Promise<void> {
    try {
      while (this.waiting.size > 0) {
        const rooms = [...this.waiting.values()];
        this.waiting = new Map();
        await this.mark(await this.rooms.behindIn(rooms));
      }
    } finally {
      this.running = undefined;
    }
  }
}

function roomsOf(
  told: readonly { userId: string; notification: { roomId?: string; messageId?: string } }[],
): ReadRoom[] {
  return told.flatMap(({ userId, notification: { roomId, messageId } }) =>
    roomId !== undefined && messageId !== undefined ? { userId, roomId } : [],
  );
}

function idsByUser(rows: readonly { id: string; userId: string }[]): Map<string, string[]> {
  const ids = new Map<string, string[]>();
  for (const { id, userId } of rows) {
    const own = ids.get(userId);
    if (own) own.push(id);
    else ids.set(userId, [id]);
  }
  return ids;
}

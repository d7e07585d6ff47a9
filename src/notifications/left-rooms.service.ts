import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { Outbox } from '../platform/outbox/outbox.js';
import { MEMBER_LEFT, type MemberLeftFact } from '../rooms/rooms.events.js';
import { DecisionsRepository } from './decisions.repository.js';
import { InboxesRepository } from './inboxes.repository.js';
import { LeftRoomsRepository } from './left-rooms.repository.js';
import { NotificationsTakenBack } from './notifications.events.js';

/** Takes out of the inbox what tells of a room its owner is no longer in: they could neither look at it nor read it away. */
@Injectable()
export class LeftRooms implements OnModuleInit {
  constructor(
    private readonly outbox: Outbox,
    private readonly inboxes: InboxesRepository,
    private readonly notifications: LeftRoomsRepository,
    private readonly decisions: DecisionsRepository,
  ) {}

  onModuleInit(): void {
    this.outbox.drain(MEMBER_LEFT, (tx, rows) =>
      this.clear(
        tx,
        rows.map(({ payload }) => payload),
      ),
    );
  }

  private async clear(tx: Transaction, left: MemberLeftFact[]): Promise<void> {
    // What was decided before is there once the lock is held; what is decided after it sees that they have left.
    await this.inboxes.lockSoon(
      tx,
      left.map(({ userId }) => userId),
    );
    const removed = await this.notifications.remove(tx, left);
    if (removed.length === 0) return;
    await this.decisions.forgetNotifications(
      tx,
      removed.map(({ id }) => id),
    );
    await this.inboxes.changed(tx, [...new Set(removed.map(({ userId }) => userId))]);
    tx.raise(new NotificationsTakenBack([], removed));
  }
}

import { Injectable, type OnModuleInit } from '@nestjs/common';
import { MESSAGE_DELETED, type MessageFact } from '../messages/messages.events.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import type { OutboxRow } from '../platform/outbox/outbox-topic.js';
import { Outbox } from '../platform/outbox/outbox.js';
import { DecisionFactsRepository, type MemberFacts, type MessageFacts } from './decision-facts.repository.js';
import { DecisionsRepository, type Remainder } from './decisions.repository.js';
import { InboxesRepository } from './inboxes.repository.js';
import { textOfMessage } from './notification.text.js';
import { notificationView, type NotificationRow } from './notification.view.js';
import { NotificationsTakenBack } from './notifications.events.js';
import { NotificationsRepository } from './notifications.repository.js';

/**
 * Takes deleted messages out of the notifications that tell of them. One that tells of nothing else is gone, and so is one
 * of a room its reader may not look into any more: what is left would be shown as it is by now.
 */
@Injectable()
export class DeletedMessages implements OnModuleInit {
  constructor(
    private readonly outbox: Outbox,
    private readonly decisions: DecisionsRepository,
    private readonly facts: DecisionFactsRepository,
    private readonly inboxes: InboxesRepository,
    private readonly notifications: NotificationsRepository,
  ) {}

  onModuleInit(): void {
    this.outbox.drain(MESSAGE_DELETED, (tx, rows) => this.takeBack(tx, rows));
  }

  private async takeBack(tx: Transaction, facts: OutboxRow<MessageFact>[]): Promise<void> {
    const messageIds = facts.map(({ payload }) => payload.messageId);
    await this.decisions.lockMessages(tx, messageIds);
    const told = await this.decisions.told(tx, messageIds);
    if (told.length === 0) return;
    const userIds = [...new Set(told.map(({ userId }) => userId))];
    await this.inboxes.lockSoon(tx, userIds);
    const ids = [...new Set(told.flatMap(({ notificationId }) => notificationId ?? []))];
    const rows = await this.notifications.byIds(ids, tx.manager);
    const remainders = await this.decisions.takeBack(tx, messageIds, ids);
    const refreshed = await this.refreshed(tx, rows, remainders);
    await this.notifications.shrink(tx, refreshed);
    const left = new Set(refreshed.map(({ id }) => id));
    const removed = rows.filter(({ id }) => !left.has(id));
    const removedIds = removed.map(({ id }) => id);
    await this.notifications.remove(tx, removedIds);
    await this.decisions.forgetNotifications(tx, removedIds);
    await this.inboxes.changed(tx, userIds);
    tx.raise(
      new NotificationsTakenBack(
        refreshed.map((row) => ({ userId: row.userId, notification: notificationView(row) })),
        removed,
      ),
    );
  }

  /** Those with messages left, as they show the newest of them. */
  private async refreshed(
    tx: Transaction,
    rows: NotificationRow[],
    remainders: Remainder[],
  ): Promise<NotificationRow[]> {
    if (remainders.length === 0) return [];
    const byNotification = new Map(remainders.map((remainder) => [remainder.notificationId, remainder]));
    const messageIds = [...new Set(remainders.map(({ newestMessageId }) => newestMessageId))];
    const messages = await this.facts.messages(messageIds, tx.manager);
    const byId = new Map(messages.map((message) => [message.id, message]));
    const members = new Map(
      (await this.facts.membersOf(roomsOf(rows), tx.manager)).map((member) => [keyOf(member), member]),
    );
    return rows.flatMap((row) => {
      const remainder = byNotification.get(row.id);
      const message = remainder && byId.get(remainder.newestMessageId);
      return message && maySee(members.get(keyOf(row)), message)
        ? [showing(row, message, remainder.count)]
        : [];
    });
  }
}

// NUL is in none of the parts.
const keyOf = ({ roomId, userId }: { roomId: string | null; userId: string }) =>
  `${String(roomId)}\0${userId}`;

function roomsOf(rows: NotificationRow[]): { roomId: string; userId: string }[] {
  const pairs = rows.flatMap(({ roomId, userId }) => (roomId === null ? [] : { roomId, userId }));
  return [...new Map(pairs.map((pair) => [keyOf(pair), pair])).values()];
}

function maySee(member: MemberFacts | undefined, { seq }: MessageFacts): boolean {
  return member !== undefined && member.historyFromSeq < seq;
}

/** What shows its newest message already stays as it is: an edit since then is not told. */
function showing(row: NotificationRow, message: MessageFacts, count: number): NotificationRow {
  if (row.messageId === message.id) return { ...row, count };
  return {
    ...row,
    ...textOfMessage(row.kind, message.senderName, message.roomName, message.content),
    messageId: message.id,
    seq: message.seq,
    actorId: message.senderId,
    actorName: message.senderName,
    actorAvatarUrl: message.senderAvatarUrl,
    count,
  };
}

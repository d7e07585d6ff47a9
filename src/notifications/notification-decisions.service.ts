import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { DecisionReason, NotificationCause, NotificationChannels } from '../contract/notifications.js';
import { MESSAGE_SENT, type MessageFact } from '../messages/messages.events.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { Metrics } from '../platform/metrics/metrics.js';
import type { OutboxRow } from '../platform/outbox/outbox-topic.js';
import { Outbox } from '../platform/outbox/outbox.js';
import type { MessageFacts } from './decision-facts.repository.js';
import { DecisionsRepository } from './decisions.repository.js';
import { InboxWriter, type Telling } from './inbox-writer.js';
import { InboxesRepository, type LockedInboxes } from './inboxes.repository.js';
import { causesOf } from './message-causes.js';
import { MessageSurroundings } from './message-surroundings.js';
import { KIND_OF, textOfMessage } from './notification.text.js';
import { preferenceFor, refusalInRoom } from './notifications.policy.js';

/** Somebody whom a message concerns. */
interface Concerned {
  message: MessageFacts;
  userId: string;
  cause: NotificationCause;
}

/** What became of it. Without `channels` they are not told. */
interface Decision extends Concerned {
  reason: DecisionReason;
  channels?: NotificationChannels;
}

/**
 * Decides of each message with a cause, for everybody it concerns, whether they are told: once, in the transaction that
 * takes the message's fact from the outbox. However many messages a batch has, it costs the same few statements.
 */
@Injectable()
export class NotificationDecisions implements OnModuleInit {
  constructor(
    private readonly outbox: Outbox,
    private readonly surroundings: MessageSurroundings,
    private readonly decisions: DecisionsRepository,
    private readonly inboxes: InboxesRepository,
    private readonly writer: InboxWriter,
    private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    this.outbox.drain(MESSAGE_SENT, (tx, rows) => this.decide(tx, rows));
  }

  private async decide(tx: Transaction, rows: OutboxRow<MessageFact>[]): Promise<void> {
    await this.decisions.enterToDecide(tx);
    const ids = [...new Set(rows.map(({ payload }) => payload.messageId))];
    const { messages, around, memberOf } = await this.surroundings.read(tx, ids);
    const decided: Decision[] = [];
    const open: Concerned[] = [];
    for (const message of messages)
      for (const [userId, cause] of causesOf(message, around)) {
        const reason = refusalInRoom(message, userId, memberOf(message.roomId, userId), cause);
        if (reason) decided.push({ message, userId, cause, reason });
        else open.push({ message, userId, cause });
      }
    const inboxes = await this.inboxes.lock(
      tx,
      open.map(({ userId }) => userId),
    );
    decided.push(...open.map((concerned) => byPreference(concerned, inboxes)));
    await this.write(tx, inboxes, decided);
  }

  private async write(tx: Transaction, inboxes: LockedInboxes, decided: Decision[]): Promise<void> {
    const told = decided.filter(({ channels }) => channels !== undefined);
    const ids = await this.writer.tell(tx, inboxes, told.map(tellingOf));
    const notificationOf = new Map(told.map((decision, index) => [decision, ids[index]]));
    await this.decisions.insert(
      tx,
      decided.map((decision) => ({
        messageId: decision.message.id,
        userId: decision.userId,
        cause: decision.cause,
        reason: decision.reason,
        inApp: decision.channels?.inApp ?? null,
        push: decision.channels?.push ?? null,
        email: decision.channels?.email ?? null,
        notificationId: notificationOf.get(decision) ?? null,
        decidedAt: inboxes.now,
      })),
    );
    for (const { reason } of decided) this.metrics.notificationDecided(reason);
  }
}

function byPreference(concerned: Concerned, inboxes: LockedInboxes): Decision {
  const kind = KIND_OF[concerned.cause];
  const { reason, channels } = preferenceFor(kind, inboxes.of(concerned.userId), inboxes.now);
  return { ...concerned, reason, ...(channels.inApp && { channels }) };
}

function tellingOf({ message, userId, cause, reason, channels }: Decision): Telling {
  const kind = KIND_OF[cause];
  return {
    userId,
    kind,
    ...textOfMessage(kind, message.senderName, message.roomName, message.content),
    channels: channels as NotificationChannels,
    silent: reason === 'quiet_hours',
    roomId: message.roomId,
    threadId: message.threadId,
    message: { id: message.id, seq: message.seq },
    actor: { id: message.senderId, name: message.senderName, avatarUrl: message.senderAvatarUrl },
  };
}

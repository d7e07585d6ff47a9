import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { DecisionReason, NotificationCause, NotificationChannels } from '../contract/notifications.js';
import { MESSAGE_SENT, type MessageFact } from '../messages/messages.events.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { Metrics } from '../platform/metrics/metrics.js';
import { RowsHeld, type OutboxRow } from '../platform/outbox/outbox-topic.js';
import { Outbox } from '../platform/outbox/outbox.js';
import { DecisionFactsRepository, type MemberFacts, type MessageFacts } from './decision-facts.repository.js';
import { DecisionsRepository } from './decisions.repository.js';
import { InboxWriter, type Telling } from './inbox-writer.js';
import { InboxesHeld, InboxesRepository, type LockedInboxes } from './inboxes.repository.js';
import { causesOf } from './message-causes.js';
import { MessageSurroundings } from './message-surroundings.js';
import { KIND_OF, textOfMessage } from './notification.text.js';
import { preferenceFor, refusalInRoom } from './notifications.policy.js';

/** What is sent so shortly after a message is decided with it, for hardly more. */
const GATHER_MS = 20;

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
    private readonly facts: DecisionFactsRepository,
    private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    this.outbox.drain(MESSAGE_SENT, (tx, rows) => this.decide(tx, rows), { gatherMs: GATHER_MS });
  }

  private async decide(tx: Transaction, rows: OutboxRow<MessageFact>[]): Promise<void> {
    const ids = [...new Set(rows.map(({ payload }) => payload.messageId))];
    await this.decisions.lockMessages(tx, ids);
    const { messages, around } = await this.surroundings.read(tx, ids);
    const concerned = messages.flatMap((message) =>
      [...causesOf(message, around)].map(([userId, cause]) => ({ message, userId, cause })),
    );
    if (concerned.length === 0) return;
    const inboxes = await this.lock(tx, rows, concerned);
    // After the locks: what was done while they were waited for holds.
    const members = await this.facts.membersOf(distinct(concerned), tx.manager);
    const memberOf = new Map(members.map((member) => [keyOf(member.roomId, member.userId), member]));
    await this.write(
      tx,
      inboxes,
      concerned.map((one) => decisionOn(one, memberOf.get(keyOf(one.message.roomId, one.userId)), inboxes)),
    );
  }

  /** The inboxes of all who may be told. Messages of an inbox that somebody else holds are left for later. */
  private async lock(
    tx: Transaction,
    rows: OutboxRow<MessageFact>[],
    concerned: Concerned[],
  ): Promise<LockedInboxes> {
    try {
      return await this.inboxes.lockSoon(
        tx,
        concerned.flatMap(({ userId, message }) =>
          userId === message.senderId || message.deleted ? [] : userId,
        ),
      );
    } catch (error) {
      if (!(error instanceof InboxesHeld)) throw error;
      const held = new Set(error.userIds);
      const waiting = new Set(
        concerned.flatMap(({ userId, message }) => (held.has(userId) ? message.id : [])),
      );
      throw new RowsHeld(
        rows.filter(({ payload }) => waiting.has(payload.messageId)),
        error,
      );
    }
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

// NUL is in none of the parts.
const keyOf = (roomId: string, userId: string) => `${roomId}\0${userId}`;

function distinct(concerned: Concerned[]): { roomId: string; userId: string }[] {
  const pairs = concerned.map(({ message: { roomId }, userId }) => ({ roomId, userId }));
  return [...new Map(pairs.map((pair) => [keyOf(pair.roomId, pair.userId), pair])).values()];
}

function decisionOn(concerned: Concerned, member: MemberFacts | undefined, inboxes: LockedInboxes): Decision {
  const { message, userId, cause } = concerned;
  const refusal = refusalInRoom(message, userId, member, cause);
  if (refusal) return { ...concerned, reason: refusal };
  const { reason, channels } = preferenceFor(KIND_OF[cause], inboxes.of(userId), inboxes.now);
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

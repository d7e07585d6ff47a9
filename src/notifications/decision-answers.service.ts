import { Inject, Injectable } from '@nestjs/common';
import type { DecisionReason, NotificationDecision } from '../contract/notifications.js';
import type { Page } from '../contract/rest.js';
import { messageNotFound } from '../messages/messages.policy.js';
import type { Config } from '../platform/config/config.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Actor } from '../platform/identity/actor.js';
import { DecisionFactsRepository, type MemberFacts, type MessageFacts } from './decision-facts.repository.js';
import { DecisionsRepository } from './decisions.repository.js';
import { ROOM_MENTION } from './message-causes.js';
import type { NotificationDecisionEntity } from './notification-decision.entity.js';

export interface AskDecisions {
  messageId: string;
  /** Default: oneself; for administrators everybody the message was decided for. */
  userId?: string;
  cursor?: string;
  limit?: number;
}

const PAGE = 100;
const DAY_MS = 24 * 3600_000;

/** "Why was I, or was I not, told?" What was decided is read; for people whom a message did not concern the answer is found. */
@Injectable()
export class DecisionAnswers {
  private readonly keptMs: number;

  constructor(
    @Inject(CONFIG) { notifications }: Config,
    private readonly facts: DecisionFactsRepository,
    private readonly decisions: DecisionsRepository,
  ) {
    this.keptMs = notifications.days * DAY_MS;
  }

  /** Users ask for themselves, of messages they may see or were decided for: any other is answered like none. */
  async ask(
    actor: Actor,
    { messageId, userId, cursor = '', limit = PAGE }: AskDecisions,
  ): Promise<Page<NotificationDecision>> {
    const isAdministrator = actor.role === 'admin';
    if (!isAdministrator && userId !== undefined && userId !== actor.userId) throw messageNotFound();
    const [message] = await this.facts.messages([messageId]);
    if (!message) throw messageNotFound();
    if (isAdministrator && userId === undefined) return this.page(messageId, cursor, limit);
    const answer = await this.answer(message, userId ?? actor.userId, isAdministrator);
    return { data: [answer], hasMore: false };
  }

  private async page(messageId: string, after: string, limit: number): Promise<Page<NotificationDecision>> {
    const rows = await this.decisions.page(messageId, after, limit + 1);
    const data = rows.slice(0, limit).map(decisionView);
    const last = data.at(-1);
    const hasMore = rows.length > limit;
    return { data, ...(hasMore && last && { cursor: last.userId }), hasMore };
  }

  private async answer(
    message: MessageFacts,
    userId: string,
    seesEverything: boolean,
  ): Promise<NotificationDecision> {
    const [member] = await this.facts.membersOf([{ roomId: message.roomId, userId }]);
    const maySee = seesEverything || (member !== undefined && member.historyFromSeq < message.seq);
    // Asked before the decision: what is decided in between would be neither pending nor found.
    const pending = maySee && (await this.decisions.isPending(message.id));
    const decided = await this.decisions.find(message.id, userId);
    if (decided) return decisionView(decided);
    if (!maySee) throw messageNotFound();
    const reason = pending
      ? 'pending'
      : this.isExpired(message)
        ? 'expired'
        : unstoredReason(message, member);
    return { messageId: message.id, userId, reason };
  }

  private isExpired({ createdAt }: MessageFacts): boolean {
    return this.keptMs > 0 && createdAt.getTime() < Date.now() - this.keptMs;
  }
}

/** A mention of the whole room concerns its members of then; who has no decision was beyond the cap. */
function unstoredReason(message: MessageFacts, member: MemberFacts | undefined): DecisionReason {
  const wasMember = member !== undefined && member.joinedAt <= message.createdAt;
  return wasMember && message.mentions.includes(ROOM_MENTION) ? 'room_mention_capped' : 'no_cause';
}

function decisionView(row: NotificationDecisionEntity): NotificationDecision {
  const { messageId, userId, reason, cause, inApp, push, email, notificationId, decidedAt } = row;
  return {
    messageId,
    userId,
    reason,
    cause,
    ...(inApp !== null && { channels: { inApp, push: push ?? false, email: email ?? false } }),
    ...(notificationId !== null && { notificationId }),
    decidedAt: decidedAt.toISOString(),
  };
}

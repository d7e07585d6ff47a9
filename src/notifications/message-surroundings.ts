import { Inject, Injectable } from '@nestjs/common';
import type { Config } from '../platform/config/config.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { DecisionFactsRepository, type MessageFacts } from './decision-facts.repository.js';
import { ROOM_MENTION, type Surroundings } from './message-causes.js';

/** Messages to be decided, and whom they may concern. */
export interface UndecidedMessages {
  messages: MessageFacts[];
  around: Surroundings;
}

/** Reads a batch of messages with everybody they may concern. */
@Injectable()
export class MessageSurroundings {
  private readonly roomLimit: number;

  constructor(
    @Inject(CONFIG) { notifications }: Config,
    private readonly facts: DecisionFactsRepository,
  ) {
    this.roomLimit = notifications.roomLimit;
  }

  /** Those of these messages that are not decided yet, in the same order. */
  async read(tx: Transaction, messageIds: readonly string[]): Promise<UndecidedMessages> {
    const found = new Map(
      (await this.facts.undecided(tx, messageIds)).map((message) => [message.id, message]),
    );
    const messages = messageIds.flatMap((id) => found.get(id) ?? []);
    return {
      messages,
      around: {
        repliers: await this.repliers(tx, messages),
        audience: new Map(messages.map(({ roomId, audience }) => [roomId, audience])),
        reached: await this.reached(tx, messages),
        roomLimit: this.roomLimit,
      },
    };
  }

  private async repliers(tx: Transaction, messages: MessageFacts[]): Promise<Surroundings['repliers']> {
    const threadIds = [...new Set(messages.flatMap(({ threadId }) => threadId ?? []))];
    const repliers: Surroundings['repliers'] = new Map(
      threadIds.map((id) => [id, new Map<string, number>()]),
    );
    if (threadIds.length === 0) return repliers;
    for (const { threadId, userId, first } of await this.facts.repliers(tx, threadIds))
      repliers.get(threadId)?.set(userId, first);
    return repliers;
  }

  private async reached(tx: Transaction, messages: MessageFacts[]): Promise<Surroundings['reached']> {
    const ids = messages.filter(({ mentions }) => mentions.includes(ROOM_MENTION)).map(({ id }) => id);
    const reached: Surroundings['reached'] = new Map(ids.map((id) => [id, []]));
    if (ids.length === 0) return reached;
    // One more: the author is a member too.
    for (const { messageId, userId } of await this.facts.reached(tx, ids, this.roomLimit + 1))
      reached.get(messageId)?.push(userId);
    return reached;
  }
}

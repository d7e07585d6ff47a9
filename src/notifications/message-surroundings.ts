import { Inject, Injectable } from '@nestjs/common';
import type { Config } from '../platform/config/config.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { DecisionFactsRepository, type MemberFacts, type MessageFacts } from './decision-facts.repository.js';
import { ROOM_MENTION, type Surroundings } from './message-causes.js';

/** Messages to be decided, and what is known of the people around them. */
export interface UndecidedMessages {
  messages: MessageFacts[];
  around: Surroundings;
  memberOf: (roomId: string, userId: string) => MemberFacts | undefined;
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
    const repliers = await this.repliers(tx, messages);
    const reached = await this.reached(tx, messages);
    const direct = roomsOf(messages.filter(({ roomType }) => roomType === 'direct'));
    const others = roomsOf(messages.filter(({ roomType }) => roomType !== 'direct'));
    const named =
      messages.length > 0 ? await this.facts.members(tx, namedIn(messages, repliers), direct, others) : [];
    const members = new Map(
      [...reached, ...named].map((member) => [keyOf(member.roomId, member.userId), member]),
    );
    return {
      messages,
      around: {
        repliers,
        directMembers: userIdsByRoom(named.filter(({ roomId }) => direct.includes(roomId))),
        listeners: userIdsByRoom(named.filter(({ notifyLevel }) => notifyLevel === 'all')),
        reachedByRoom: userIdsByRoom(reached),
        roomLimit: this.roomLimit,
      },
      memberOf: (roomId, userId) => members.get(keyOf(roomId, userId)),
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

  private async reached(tx: Transaction, messages: MessageFacts[]): Promise<MemberFacts[]> {
    const rooms = roomsOf(messages.filter(({ mentions }) => mentions.includes(ROOM_MENTION)));
    // One more: the author is a member too.
    return rooms.length > 0 ? this.facts.reached(tx, rooms, this.roomLimit + 1) : [];
  }
}

// NUL is in none of the parts.
const keyOf = (roomId: string, userId: string) => `${roomId}\0${userId}`;

const roomsOf = (messages: MessageFacts[]) => [...new Set(messages.map(({ roomId }) => roomId))];

function userIdsByRoom(members: MemberFacts[]): Map<string, string[]> {
  const byRoom = new Map<string, string[]>();
  for (const { roomId, userId } of members) {
    const known = byRoom.get(roomId);
    if (known) known.push(userId);
    else byRoom.set(roomId, [userId]);
  }
  return byRoom;
}

/** Whom messages name: by a mention, as the author they answer, or by their part in a thread. */
function namedIn(
  messages: MessageFacts[],
  repliers: Surroundings['repliers'],
): { roomId: string; userId: string }[] {
  return messages.flatMap(({ roomId, mentions, replyAuthorId, rootAuthorId, threadId }) =>
    [
      ...mentions,
      replyAuthorId,
      rootAuthorId,
      ...(threadId === null ? [] : (repliers.get(threadId)?.keys() ?? [])),
    ].flatMap((userId) => (userId === null || userId === ROOM_MENTION ? [] : { roomId, userId })),
  );
}

import { Injectable } from '@nestjs/common';
import type { HistoryPage, ReadHistory, SyncRoom } from '../contract/chat.js';
import { CONTRACT_LIMITS } from '../contract/limits.js';
import type { Page } from '../contract/rest.js';
import type { Message, SyncPage } from '../contract/views.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { RoomAccess } from '../rooms/room-access.service.js';
import type { Membership } from '../rooms/rooms.policy.js';
import { messageNotFound } from './messages.policy.js';
import { MessagesRepository } from './messages.repository.js';

const NO_BOUND = 2_147_483_647;

/** Reads what was said: pages of history by `seq`, and the change log by `rev`. */
@Injectable()
export class MessageLog {
  constructor(
    private readonly access: RoomAccess,
    private readonly messages: MessagesRepository,
  ) {}

  /** One message that the actor can see. NOT_A_MEMBER in an open room, NOT_FOUND for every other they cannot. */
  async message(actor: Actor, messageId: string): Promise<Message> {
    const message = await this.messages.visibleTo(actor.userId, messageId);
    if (message) return message;
    const roomId = await this.messages.roomOf(messageId);
    if (roomId !== undefined) await this.access.member(actor, roomId, messageNotFound());
    throw messageNotFound();
  }

  async history(actor: Actor, input: ReadHistory): Promise<HistoryPage> {
    const membership = await this.access.member(actor, input.roomId);
    const { threadId, before, after, around, limit = CONTRACT_LIMITS.historyPage } = input;
    if ([before, after, around].filter((bound) => bound !== undefined).length > 1)
      throw AppError.invalid('before', 'give at most one of before, after and around');
    if (after !== undefined)
      return page(await this.messages.newer(membership, threadId, after, limit + 1), limit);
    if (around === undefined) return this.olderPage(membership, threadId, before ?? NO_BOUND, limit);
    const older = await this.olderPage(membership, threadId, around, Math.floor(limit / 2));
    const rest = limit - older.messages.length;
    const newer = page(await this.messages.newer(membership, threadId, around - 1, rest + 1), rest);
    return { messages: [...older.messages, ...newer.messages], hasMore: older.hasMore || newer.hasMore };
  }

  /** REST: the cursor of a page is the `seq` to go on from, in the direction that was asked for. */
  async page(actor: Actor, input: ReadHistory): Promise<Page<Message>> {
    const { messages, hasMore } = await this.history(actor, input);
    const next = input.after === undefined ? messages.at(0) : messages.at(-1);
    return { data: messages, ...(hasMore && next && { cursor: String(next.seq) }), hasMore };
  }

  /**
   * Everything that changed after `since`, in its current state. A page ends at 500 messages or 256 kB.
   * A position above the room's head, or below what was purged, cannot be resumed from: `reset`.
   */
  async sync(
    actor: Actor,
    { roomId, since, limit = CONTRACT_LIMITS.syncPageMax }: SyncRoom,
  ): Promise<SyncPage> {
    const membership = await this.access.member(actor, roomId);
    const { lastRev, minRev } = membership.room;
    if (since > lastRev || since < minRev) return { messages: [], rev: lastRev, hasMore: false, reset: true };
    const bytes = CONTRACT_LIMITS.syncPageBytes;
    const rows = await this.messages.changedSince(membership, since, { limit: limit + 1, bytes });
    const messages = withinBytes(rows.slice(0, limit), bytes);
    const hasMore = messages.length < rows.length;
    const lastRead = messages.at(-1)?.rev ?? since;
    // The head was read before the rows, so nothing below it is missing from them.
    return { messages, rev: hasMore ? lastRead : Math.max(lastRev, lastRead), hasMore };
  }

  private async olderPage(
    membership: Membership,
    threadId: string | undefined,
    before: number,
    limit: number,
  ): Promise<HistoryPage> {
    const { messages, hasMore } = page(
      await this.messages.older(membership, threadId, before, limit + 1),
      limit,
    );
    return { messages: messages.reverse(), hasMore };
  }
}

function page(rows: Message[], limit: number): HistoryPage {
  return { messages: rows.slice(0, limit), hasMore: rows.length > limit };
}

/** As many from the start as fit; one at least, so that a reader always gets on. */
function withinBytes(messages: Message[], bytes: number): Message[] {
  let left = bytes;
  const end = messages.findIndex((message, index) => {
    left -= Buffer.byteLength(JSON.stringify(message));
    return left < 0 && index > 0;
  });
  return end === -1 ? messages : messages.slice(0, end);
}

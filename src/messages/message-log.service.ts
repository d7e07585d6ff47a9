import { Injectable } from '@nestjs/common';
import type { HistoryPage, ReadHistory, SyncRoom } from '../contract/chat.js';
import { CONTRACT_LIMITS } from '../contract/limits.js';
import type { Page } from '../contract/rest.js';
import type { Message, SyncPage } from '../contract/views.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { RoomAccess } from '../rooms/room-access.service.js';
import { notInRoom } from '../rooms/rooms.policy.js';
import { messageNotFound } from './messages.policy.js';
import { MessagesRepository } from './messages.repository.js';
import { RoomPagesRepository, type RoomPage } from './room-pages.repository.js';

const NO_BOUND = 2_147_483_647;

/** Reads what was said: pages of history by `seq`, and the change log by `rev`. */
@Injectable()
export class MessageLog {
  constructor(
    private readonly access: RoomAccess,
    private readonly messages: MessagesRepository,
    private readonly pages: RoomPagesRepository,
  ) {}

  /** One message that the actor can see. NOT_A_MEMBER in an open room, NOT_FOUND for every other they cannot. */
  async message(actor: Actor, messageId: string): Promise<Message> {
    const message = await this.messages.visibleTo(actor.userId, messageId);
    if (message) return message;
    const roomId = await this.messages.roomOf(messageId);
    if (roomId !== undefined) await this.access.member(actor, roomId, messageNotFound);
    throw messageNotFound();
  }

  async history(actor: Actor, input: ReadHistory): Promise<HistoryPage> {
    const { roomId, threadId, before, after, around, limit = CONTRACT_LIMITS.historyPage } = input;
    if ([before, after, around].filter((bound) => bound !== undefined).length > 1)
      throw AppError.invalid('before', 'give at most one of before, after and around');
    const { below, above, share } = positionsOf(input, limit);
    // One more on each side tells whether there are more.
    const window = { below, older: share + 1, above, newer: limit + 1 };
    const { messages } = asMember(await this.pages.history(actor.userId, roomId, threadId, window));
    const older = messages.filter(({ seq }) => seq < below);
    const newer = messages.slice(older.length);
    const olderPage = older.slice(Math.max(0, older.length - share));
    const newerPage = newer.slice(0, limit - olderPage.length);
    const page = [...olderPage, ...newerPage];
    return { messages: page, hasMore: page.length < messages.length };
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
    const bytes = CONTRACT_LIMITS.syncPageBytes;
    const page = asMember(await this.pages.changes(actor.userId, roomId, since, { limit: limit + 1, bytes }));
    const { lastRev, minRev } = page.room;
    if (since > lastRev || since < minRev) return { messages: [], rev: lastRev, hasMore: false, reset: true };
    const messages = withinBytes(page.messages.slice(0, limit), bytes);
    const hasMore = messages.length < page.messages.length;
    // The head is of the same snapshot as the page: nothing below it is missing.
    return { messages, rev: hasMore ? (messages.at(-1)?.rev ?? since) : lastRev, hasMore };
  }
}

function asMember(page: RoomPage | undefined): RoomPage {
  if (!page?.isMember) throw notInRoom(page?.room);
  return page;
}

/** Where a page lies: `share` messages below the one position, the rest of it above the other. */
function positionsOf(
  { before, after, around }: ReadHistory,
  limit: number,
): { below: number; above: number; share: number } {
  if (after !== undefined) return { below: 0, above: after, share: 0 };
  if (around !== undefined) return { below: around, above: around - 1, share: Math.floor(limit / 2) };
  return { below: before ?? NO_BOUND, above: NO_BOUND, share: limit };
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

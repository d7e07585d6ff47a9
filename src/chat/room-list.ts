import { Injectable } from '@nestjs/common';
import type { ListRooms } from '../contract/chat.js';
import { CONTRACT_LIMITS } from '../contract/limits.js';
import type { Page } from '../contract/rest.js';
import type { RoomSummary } from '../contract/views.js';
import type { Actor } from '../platform/identity/actor.js';
import { MessagesService } from '../messages/messages.service.js';
import { ReadStates } from '../messages/read-states.service.js';
import { RoomAccess } from '../rooms/room-access.service.js';
import { RoomViews } from '../rooms/room-views.service.js';

/** One's rooms with what is unread and said last: rooms and messages together, four statements a page. */
@Injectable()
export class RoomList {
  constructor(
    private readonly access: RoomAccess,
    private readonly views: RoomViews,
    private readonly readStates: ReadStates,
    private readonly messages: MessagesService,
  ) {}

  async list(actor: Actor, { cursor = '' }: ListRooms): Promise<{ rooms: RoomSummary[]; cursor?: string }> {
    const found = await this.access.memberships(actor, cursor, CONTRACT_LIMITS.roomsPage + 1);
    const memberships = found.slice(0, CONTRACT_LIMITS.roomsPage);
    const [rooms, readStates, newest] = await Promise.all([
      this.views.show(memberships),
      this.readStates.ofMemberships(memberships),
      this.messages.newest(memberships),
    ]);
    const summaries = rooms.flatMap((room): RoomSummary[] => {
      const readState = readStates.get(room.id);
      const lastMessage = newest.get(room.id);
      // A membership that ended between the statements.
      return readState ? [{ room, readState, ...(lastMessage && { lastMessage }) }] : [];
    });
    const last = found.length > memberships.length ? memberships.at(-1) : undefined;
    return { rooms: summaries, ...(last && { cursor: last.room.id }) };
  }

  async page(actor: Actor, input: ListRooms): Promise<Page<RoomSummary>> {
    const { rooms, cursor } = await this.list(actor, input);
    return { data: rooms, ...(cursor !== undefined && { cursor }), hasMore: cursor !== undefined };
  }
}

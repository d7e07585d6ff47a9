import { Injectable } from '@nestjs/common';
import type { ReadMessage } from '../contract/chat.js';
import type { ReadState } from '../contract/views.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { RoomAccess } from '../rooms/room-access.service.js';
import type { Membership } from '../rooms/rooms.policy.js';
import { MessagesRead } from './messages.events.js';
import { MessagesRepository } from './messages.repository.js';
import { ReadStatesRepository } from './read-states.repository.js';

/** How far each member has read. Positions only move forward; counts are derived when asked for. */
@Injectable()
export class ReadStates {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly access: RoomAccess,
    private readonly messages: MessagesRepository,
    private readonly states: ReadStatesRepository,
  ) {}

  async read(actor: Actor, input: ReadMessage): Promise<{ readState: ReadState }> {
    const { room } = await this.access.member(actor, input.roomId);
    const seq = await this.positionOf(input);
    await this.unitOfWork.run(async (tx) => {
      const moved = await this.states.advance(tx, room.id, actor.userId, seq);
      if (moved !== undefined) tx.raise(new MessagesRead(room.id, actor.userId, moved, room.memberCount));
    });
    return { readState: await this.of(actor.userId, room.id) };
  }

  async of(userId: string, roomId: string): Promise<ReadState> {
    const [found] = await this.states.find([{ roomId, userId }]);
    if (!found) throw new AppError('NOT_FOUND', 'There is no such room');
    return found.state;
  }

  /** Of one user's memberships, by room id. */
  async ofMemberships(memberships: Membership[]): Promise<Map<string, ReadState>> {
    const found = await this.states.find(
      memberships.map(({ member }) => ({ roomId: member.roomId, userId: member.userId })),
    );
    return new Map(found.map(({ state }) => [state.roomId, state]));
  }

  ofUsers(roomId: string, userIds: string[]): Promise<{ userId: string; state: ReadState }[]> {
    return this.states.find(userIds.map((userId) => ({ roomId, userId })));
  }

  /** REST `me/unread`: the rooms with something unread, and the sums (each room counts to 100). */
  async unread(actor: Actor): Promise<{ unread: number; mentions: number; rooms: ReadState[] }> {
    const roomIds = await this.states.roomsWithUnread(actor.userId);
    const found = await this.states.find(roomIds.map((roomId) => ({ roomId, userId: actor.userId })));
    const rooms = found.map(({ state }) => state).filter(({ unread, mentions }) => unread + mentions > 0);
    return {
      unread: rooms.reduce((sum, { unread }) => sum + unread, 0),
      mentions: rooms.reduce((sum, { mentions }) => sum + mentions, 0),
      rooms,
    };
  }

  private async positionOf({ roomId, seq, messageId }: ReadMessage): Promise<number> {
    if ((seq === undefined) === (messageId === undefined))
      throw AppError.invalid('seq', 'give either seq or messageId');
    const position = seq ?? (await this.messages.seqOf(roomId, messageId as string));
    if (position === undefined) throw new AppError('NOT_FOUND', 'There is no such message');
    return position;
  }
}

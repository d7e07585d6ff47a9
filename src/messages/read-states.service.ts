import { Injectable } from '@nestjs/common';
import type { ReadMessage } from '../contract/chat.js';
import type { ReadState } from '../contract/views.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { RoomAccess } from '../rooms/room-access.service.js';
import type { Membership } from '../rooms/rooms.policy.js';
import { messageNotFound } from './messages.policy.js';
import { MessagesRepository } from './messages.repository.js';
import { ReadPositionWriter } from './read-position-writer.js';
import { ReadStatesRepository } from './read-states.repository.js';

/** How far each member has read. Positions only move forward; counts are derived when asked for. */
@Injectable()
export class ReadStates {
  constructor(
    private readonly positions: ReadPositionWriter,
    private readonly access: RoomAccess,
    private readonly messages: MessagesRepository,
    private readonly states: ReadStatesRepository,
  ) {}

  /** Answered when the position, or a later one of the same user, is committed. */
  async read(actor: Actor, input: ReadMessage): Promise<{ readState: ReadState }> {
    const { roomId } = input;
    const seq = await this.positionOf(actor, input);
    const readState = await this.positions.write({ roomId, userId: actor.userId, seq });
    if (readState) return { readState };
    // Says what stands in the way. When nothing does, they joined in this moment.
    await this.access.member(actor, roomId);
    return this.read(actor, input);
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
    const found = await this.states.ofRoomsBehind(actor.userId);
    const rooms = found.filter(({ unread, mentions }) => unread + mentions > 0);
    return {
      unread: rooms.reduce((sum, { unread }) => sum + unread, 0),
      mentions: rooms.reduce((sum, { mentions }) => sum + mentions, 0),
      rooms,
    };
  }

  private async positionOf(actor: Actor, { roomId, seq, messageId }: ReadMessage): Promise<number> {
    if (messageId === undefined) {
      if (seq === undefined) throw giveEither();
      return seq;
    }
    if (seq !== undefined) throw giveEither();
    await this.access.member(actor, roomId);
    const position = await this.messages.seqOf(roomId, messageId);
    if (position === undefined) throw messageNotFound();
    return position;
  }
}

function giveEither(): AppError {
  return AppError.invalid('seq', 'give either seq or messageId');
}

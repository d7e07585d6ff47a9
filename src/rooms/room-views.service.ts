import { Injectable } from '@nestjs/common';
import type { Room } from '../contract/views.js';
import { RoomSubscriptions } from '../platform/realtime/room-subscriptions.js';
import { roomView } from './room.view.js';
import type { Membership } from './rooms.policy.js';
import { RoomsRepository } from './rooms.repository.js';

/** Shows rooms to one of their members: with who is online, and direct rooms under the names of the others. */
@Injectable()
export class RoomViews {
  constructor(
    private readonly rooms: RoomsRepository,
    private readonly subscriptions: RoomSubscriptions,
  ) {}

  /** All memberships are of one user. */
  async show(memberships: Membership[]): Promise<Room[]> {
    const [first] = memberships;
    if (!first) return [];
    const direct = memberships.filter(({ room }) => room.type === 'direct').map(({ room }) => room.id);
    const names = await this.rooms.directNames(first.member.userId, direct);
    return memberships.map(({ room, member }) =>
      roomView(room, member.role, this.online(room.id), names.get(room.id)),
    );
  }

  async showOne(membership: Membership): Promise<Room> {
    const [room] = await this.show([membership]);
    return room as Room;
  }

  online(roomId: string): number {
    return this.subscriptions.usersIn(roomId).size;
  }
}

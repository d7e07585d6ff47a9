import { Injectable } from '@nestjs/common';
import type { Room } from '../contract/views.js';
import { RoomSubscriptions } from '../platform/realtime/room-subscriptions.js';
import { OnlineUsers } from './online-users.service.js';
import { roomView } from './room.view.js';
import type { Membership } from './rooms.policy.js';
import { RoomsRepository } from './rooms.repository.js';

/** Shows rooms to their members: with who is online, and direct rooms under the names of the others. */
@Injectable()
export class RoomViews {
  constructor(
    private readonly rooms: RoomsRepository,
    private readonly subscriptions: RoomSubscriptions,
    private readonly onlineUsers: OnlineUsers,
  ) {}

  /** One view for each membership: rooms of one user, or one room for several. */
  async show(memberships: Membership[]): Promise<Room[]> {
    const direct = memberships.filter(({ room }) => room.type === 'direct');
    const names = await this.rooms.directNames(direct.map(({ member }) => member));
    return memberships.map(({ room, member }) =>
      roomView(room, member.role, this.online(room.id), names.of(member)),
    );
  }

  async showOne(membership: Membership): Promise<Room> {
    const [room] = await this.show([membership]);
    return room as Room;
  }

  /** How many are connected and do not hide it. */
  online(roomId: string): number {
    return (
      this.subscriptions.onlineCount(roomId) -
      this.subscriptions.countAmong(roomId, this.onlineUsers.invisible())
    );
  }
}

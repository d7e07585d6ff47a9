import { Injectable, type OnModuleInit } from '@nestjs/common';
import { CONTRACT_LIMITS } from '../contract/limits.js';
import type { Room } from '../contract/views.js';
import { ClusterCommands } from '../platform/cluster/cluster-commands.js';
import { DomainEvents } from '../platform/events/domain-events.js';
import { Publisher } from '../platform/realtime/publisher.js';
import { RoomSubscriptions } from '../platform/realtime/room-subscriptions.js';
import { MembersRepository } from './members.repository.js';
import { OnePerRoom } from './one-per-room.js';
import { RoomViews } from './room-views.service.js';
import { roomView } from './room.view.js';
import { MemberJoined, MemberLeft, MemberRoleChanged, RoomChanged } from './rooms.events.js';
import { RoomsRepository } from './rooms.repository.js';

/** Memberships and changes of rooms -> subscriptions and `room:*` events, of the sockets of this node: every node does it. */
@Injectable()
export class RoomsBroadcaster implements OnModuleInit {
  /** Views are read from the database; one after the other for each room, so that an older one never follows a newer one. */
  private readonly turns = new OnePerRoom();
  /** Who is told of being added when the room's turn comes; those added together share the statements. */
  private readonly added = new Map<string, string[]>();

  constructor(
    private readonly events: DomainEvents,
    private readonly publisher: Publisher,
    private readonly subscriptions: RoomSubscriptions,
    private readonly rooms: RoomsRepository,
    private readonly members: MembersRepository,
    private readonly views: RoomViews,
    private readonly cluster: ClusterCommands,
  ) {}

  onModuleInit(): void {
    this.cluster.share('member.joined', MemberJoined);
    this.cluster.share('member.left', MemberLeft);
    this.cluster.share('member.role', MemberRoleChanged);
    this.cluster.share('room.changed', RoomChanged);
    this.events.on(MemberJoined, (event) => this.joined(event));
    this.events.on(MemberLeft, (event) => this.left(event));
    this.events.on(MemberRoleChanged, ({ roomId, userId }) =>
      this.turns.run(roomId, () => this.tell([userId], roomId, 'room:updated')),
    );
    this.events.on(RoomChanged, ({ roomId }) => this.turns.run(roomId, () => this.changed(roomId)));
  }

  private joined({ roomId, userId, username, added }: MemberJoined): Promise<void> | undefined {
    this.subscriptions.subscribeUser(userId, roomId);
    this.publisher.chat.here.toRoom(roomId, 'room:user-joined', { roomId, userId, username });
    return added ? this.tellAdded(userId, roomId) : undefined;
  }

  private left({ roomId, userId, username, reason }: MemberLeft): void {
    this.subscriptions.unsubscribeUser(userId, roomId);
    this.publisher.chat.here.toUsers([userId], 'room:removed', { roomId, reason });
    this.publisher.chat.here.toRoom(roomId, 'room:user-left', { roomId, userId, username });
  }

  private tellAdded(userId: string, roomId: string): Promise<void> | undefined {
    const waiting = this.added.get(roomId);
    if (waiting) {
      waiting.push(userId);
      return undefined;
    }
    const userIds = [userId];
    this.added.set(roomId, userIds);
    return this.turns.run(roomId, () => {
      this.added.delete(roomId);
      return this.tell(userIds, roomId, 'room:added');
    });
  }

  /** To each their own view; who is not a member any more is told nothing. */
  private async tell(userIds: string[], roomId: string, event: 'room:added' | 'room:updated'): Promise<void> {
    const memberships = await this.rooms.membershipsIn(roomId, userIds);
    const views = await this.views.show(memberships);
    for (const [index, { member }] of memberships.entries())
      this.publisher.chat.here.toUsers([member.userId], event, { room: views[index] as Room });
  }

  /**
   * Everyone sees their own role and capabilities: the few with a role get theirs, all others share one view. A direct
   * room is called differently by each of its few people.
   */
  private async changed(roomId: string): Promise<void> {
    const room = await this.rooms.find(roomId);
    if (!room) return;
    if (room.type === 'direct') {
      return this.tell(
        await this.members.userIds(roomId, CONTRACT_LIMITS.directMembers),
        roomId,
        'room:updated',
      );
    }
    const staff = await this.members.staff(roomId);
    const online = this.views.online(roomId);
    for (const role of ['owner', 'admin'] as const) {
      const holders = staff.filter((member) => member.role === role).map(({ userId }) => userId);
      this.publisher.chat.here.toUsers(holders, 'room:updated', { room: roomView(room, role, online) });
    }
    const others = staff.map(({ userId }) => userId);
    this.publisher.chat.here.toRoom(
      roomId,
      'room:updated',
      { room: roomView(room, 'member', online) },
      others,
    );
  }
}

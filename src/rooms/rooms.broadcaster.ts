import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DomainEvents } from '../platform/events/domain-events.js';
import { Publisher } from '../platform/realtime/publisher.js';
import { RoomSubscriptions } from '../platform/realtime/room-subscriptions.js';
import { MembersRepository } from './members.repository.js';
import { RoomViews } from './room-views.service.js';
import { roomView } from './room.view.js';
import { MemberJoined, MemberLeft, MemberRoleChanged, RoomChanged } from './rooms.events.js';
import { RoomsRepository } from './rooms.repository.js';

/** Memberships and changes of rooms -> subscriptions and `room:*` events. */
@Injectable()
export class RoomsBroadcaster implements OnModuleInit {
  /** Views are read from the database; one after the other, so that an older one never follows a newer one. */
  private tail: Promise<void> = Promise.resolve();

  constructor(
    private readonly events: DomainEvents,
    private readonly publisher: Publisher,
    private readonly subscriptions: RoomSubscriptions,
    private readonly rooms: RoomsRepository,
    private readonly members: MembersRepository,
    private readonly views: RoomViews,
  ) {}

  onModuleInit(): void {
    this.events.on(MemberJoined, (event) => this.joined(event));
    this.events.on(MemberLeft, (event) => this.left(event));
    this.events.on(MemberRoleChanged, ({ roomId, userId }) =>
      this.inTurn(() => this.tell(userId, roomId, 'room:updated')),
    );
    this.events.on(RoomChanged, ({ roomId }) => this.inTurn(() => this.changed(roomId)));
  }

  private joined({ roomId, userId, username, added }: MemberJoined): Promise<void> | undefined {
    this.subscriptions.subscribeUser(userId, roomId);
    this.publisher.toRoom(roomId, 'room:user-joined', { roomId, userId, username });
    return added ? this.inTurn(() => this.tell(userId, roomId, 'room:added')) : undefined;
  }

  private left({ roomId, userId, username, reason }: MemberLeft): void {
    this.subscriptions.unsubscribeUser(userId, roomId);
    this.publisher.toUsers([userId], 'room:removed', { roomId, reason });
    this.publisher.toRoom(roomId, 'room:user-left', { roomId, userId, username });
  }

  private async tell(userId: string, roomId: string, event: 'room:added' | 'room:updated'): Promise<void> {
    const found = await this.rooms.findFor(userId, roomId);
    if (!found?.member) return;
    const room = await this.views.showOne({ room: found.room, member: found.member });
    this.publisher.toUsers([userId], event, { room });
  }

  /** Everyone sees their own role and capabilities: the few with a role get theirs, all others share one view. */
  private async changed(roomId: string): Promise<void> {
    const staff = await this.members.staff(roomId);
    const room = await this.rooms.find(roomId);
    if (!room) return;
    const online = this.views.online(roomId);
    for (const role of ['owner', 'admin'] as const) {
      const holders = staff.filter((member) => member.role === role).map(({ userId }) => userId);
      this.publisher.toUsers(holders, 'room:updated', { room: roomView(room, role, online) });
    }
    const others = staff.map(({ userId }) => userId);
    this.publisher.toRoom(roomId, 'room:updated', { room: roomView(room, 'member', online) }, others);
  }

  private inTurn(task: () => Promise<void>): Promise<void> {
    const done = this.tail.then(task);
    this.tail = done.catch(() => undefined);
    return done;
  }
}

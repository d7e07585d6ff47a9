import { Injectable } from '@nestjs/common';
import type { JoinedRoom, JoinRoom } from '../contract/chat.js';
import type { Actor } from '../platform/identity/actor.js';
import { wantsAck } from '../platform/realtime/compiled-handler.js';
import { Publisher } from '../platform/realtime/publisher.js';
import type { RealtimeSocket } from '../platform/realtime/realtime-socket.js';
import { RoomSubscriptions } from '../platform/realtime/room-subscriptions.js';
import { MessageLog } from '../messages/message-log.service.js';
import { ReadStates } from '../messages/read-states.service.js';
import { MemberList } from '../rooms/member-list.service.js';
import { RoomsService } from '../rooms/rooms.service.js';

/** `room:join`: membership, then the subscription, then what was said. In this order nothing falls between. */
@Injectable()
export class OpenRoom {
  constructor(
    private readonly rooms: RoomsService,
    private readonly members: MemberList,
    private readonly log: MessageLog,
    private readonly readStates: ReadStates,
    private readonly subscriptions: RoomSubscriptions,
    private readonly publisher: Publisher,
  ) {}

  async join(socket: RealtimeSocket, input: JoinRoom): Promise<JoinedRoom> {
    const byEvents = !wantsAck(socket);
    const { actor } = socket.data;
    await this.rooms.join(actor, input);
    const wasSubscribed = this.subscriptions.isSubscribed(socket, input.roomId);
    // Also when becoming a member has subscribed it already: with several nodes it is waited for here.
    await this.subscriptions.subscribe(socket, [input.roomId]);
    try {
      const joined = await this.read(actor, input);
      if (byEvents) await this.tell(socket, joined);
      return joined;
    } catch (error) {
      // A removal in the meantime may have come before the subscription, and then nothing else would end it.
      if (!wasSubscribed) await this.subscriptions.unsubscribe(socket, input.roomId);
      throw error;
    }
  }

  private async read(actor: Actor, { roomId, since }: JoinRoom): Promise<JoinedRoom> {
    // The view before the log: a log as new as `room.rev` or newer is complete for the client, an older one is a hole.
    const room = await this.rooms.show(actor, roomId);
    const [readState, log] = await Promise.all([
      this.readStates.of(actor.userId, roomId),
      since === undefined
        ? this.log.history(actor, { roomId }).then((history) => ({ history }))
        : this.log.sync(actor, { roomId, since }).then((sync) => ({ sync })),
    ]);
    return { room, readState, ...log };
  }

  private async tell(socket: RealtimeSocket, { room, readState, history, sync }: JoinedRoom): Promise<void> {
    const roomId = room.id;
    const { members, cursor } = await this.members.list(socket.data.actor, { roomId });
    this.publisher.chat.toSocket(socket, 'room:joined', { room, readState });
    this.publisher.chat.toSocket(socket, 'room:history', {
      roomId,
      messages: history?.messages ?? sync?.messages ?? [],
      hasMore: history?.hasMore ?? sync?.hasMore ?? false,
      ...(sync && { rev: sync.rev }),
      ...(sync?.reset && { reset: sync.reset }),
    });
    this.publisher.chat.toSocket(socket, 'room:members', {
      roomId,
      members,
      ...(cursor !== undefined && { cursor }),
    });
  }
}

import { ConnectedSocket, MessageBody, SubscribeMessage, type OnGatewayConnection } from '@nestjs/websockets';
import type { ChatCommands } from '../contract/chat.js';
import { Connections } from '../platform/realtime/connections.js';
import { RealtimeGateway } from '../platform/realtime/realtime-gateway.decorator.js';
import type { RealtimeSocket } from '../platform/realtime/realtime-socket.js';
import { RefreshAuthDto } from '../platform/realtime/refresh-auth.dto.js';
import { AllowExpired } from '../platform/realtime/session.guard.js';
import { Throttled } from '../platform/throttling/throttle.interceptor.js';
import {
  DeleteMessageDto,
  EditMessageDto,
  PinMessageDto,
  ReactToMessageDto,
  ReadHistoryDto,
  ReadMessageDto,
  SendMessageDto,
  SyncRoomDto,
} from '../messages/dto/messages.dto.js';
import { MessageLog } from '../messages/message-log.service.js';
import { MessagesService } from '../messages/messages.service.js';
import { ReadStates } from '../messages/read-states.service.js';
import {
  CreateRoomDto,
  InviteMemberDto,
  JoinRoomDto,
  KickMemberDto,
  ListMembersDto,
  ListRoomsDto,
  RoomPositionsDto,
  RoomRefDto,
  SetMemberRoleDto,
  UpdateRoomDto,
} from '../rooms/dto/rooms.dto.js';
import { MemberList } from '../rooms/member-list.service.js';
import { MembersService } from '../rooms/members.service.js';
import { RoomSettings } from '../rooms/room-settings.service.js';
import { RoomsService } from '../rooms/rooms.service.js';
import { ChatSession } from './chat-session.js';
import { SendSignalDto, TypingDto } from './dto/chat.dto.js';
import { OpenRoom } from './open-room.js';
import { RoomList } from './room-list.js';
import { Signals } from './signals.js';
import { Typing } from './typing.js';

type Answer<C extends keyof ChatCommands> = Promise<ChatCommands[C]['result']>;

/** The commands of `/chat`. Each is one line: what it does is in the service it calls. */
@RealtimeGateway('/chat')
export class ChatGateway implements OnGatewayConnection<RealtimeSocket> {
  constructor(
    private readonly session: ChatSession,
    private readonly connections: Connections,
    private readonly openRoom: OpenRoom,
    private readonly roomList: RoomList,
    private readonly rooms: RoomsService,
    private readonly settings: RoomSettings,
    private readonly members: MembersService,
    private readonly memberList: MemberList,
    private readonly messages: MessagesService,
    private readonly log: MessageLog,
    private readonly readStates: ReadStates,
    private readonly typing: Typing,
    private readonly signals: Signals,
  ) {}

  handleConnection(socket: RealtimeSocket): Promise<void> {
    return this.session.open(socket);
  }

  @SubscribeMessage('auth:refresh')
  @AllowExpired()
  refreshAuth(
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() { token }: RefreshAuthDto,
  ): Answer<'auth:refresh'> {
    return this.connections.refresh(socket, token);
  }

  @SubscribeMessage('room:join')
  join(@ConnectedSocket() socket: RealtimeSocket, @MessageBody() room: JoinRoomDto): Answer<'room:join'> {
    return this.openRoom.join(socket, room);
  }

  @SubscribeMessage('room:leave')
  leave(@ConnectedSocket() { data }: RealtimeSocket, @MessageBody() { roomId }: RoomRefDto): Promise<void> {
    return this.rooms.leave(data.actor, roomId);
  }

  @SubscribeMessage('room:create')
  @Throttled('rooms')
  create(
    @ConnectedSocket() { data }: RealtimeSocket,
    @MessageBody() room: CreateRoomDto,
  ): Answer<'room:create'> {
    return this.rooms.create(data.actor, room);
  }

  @SubscribeMessage('room:list')
  listRooms(
    @ConnectedSocket() { data }: RealtimeSocket,
    @MessageBody() page: ListRoomsDto,
  ): Answer<'room:list'> {
    return this.roomList.list(data.actor, page);
  }

  @SubscribeMessage('room:members')
  listMembers(
    @ConnectedSocket() { data }: RealtimeSocket,
    @MessageBody() page: ListMembersDto,
  ): Answer<'room:members'> {
    return this.memberList.list(data.actor, page);
  }

  @SubscribeMessage('room:invite')
  @Throttled('rooms')
  invite(@ConnectedSocket() { data }: RealtimeSocket, @MessageBody() member: InviteMemberDto): Promise<void> {
    return this.members.invite(data.actor, member);
  }

  @SubscribeMessage('room:kick')
  kick(@ConnectedSocket() { data }: RealtimeSocket, @MessageBody() member: KickMemberDto): Promise<void> {
    return this.members.kick(data.actor, member);
  }

  @SubscribeMessage('room:role')
  setRole(
    @ConnectedSocket() { data }: RealtimeSocket,
    @MessageBody() member: SetMemberRoleDto,
  ): Promise<void> {
    return this.members.setRole(data.actor, member);
  }

  @SubscribeMessage('room:update')
  update(
    @ConnectedSocket() { data }: RealtimeSocket,
    @MessageBody() changes: UpdateRoomDto,
  ): Answer<'room:update'> {
    return this.settings.update(data.actor, changes);
  }

  @SubscribeMessage('room:sync')
  sync(
    @ConnectedSocket() { data }: RealtimeSocket,
    @MessageBody() position: SyncRoomDto,
  ): Answer<'room:sync'> {
    return this.log.sync(data.actor, position);
  }

  @SubscribeMessage('room:positions')
  positions(
    @ConnectedSocket() { data }: RealtimeSocket,
    @MessageBody() { roomIds }: RoomPositionsDto,
  ): Answer<'room:positions'> {
    return this.rooms.positions(data.actor, roomIds);
  }

  @SubscribeMessage('room:signal')
  signal(@ConnectedSocket() socket: RealtimeSocket, @MessageBody() signal: SendSignalDto): Promise<void> {
    return this.signals.send(socket, signal);
  }

  @SubscribeMessage('message:send')
  @Throttled('sends')
  send(
    @ConnectedSocket() { data }: RealtimeSocket,
    @MessageBody() message: SendMessageDto,
  ): Answer<'message:send'> {
    return this.messages.send(data.actor, message);
  }

  @SubscribeMessage('message:edit')
  edit(
    @ConnectedSocket() { data }: RealtimeSocket,
    @MessageBody() edit: EditMessageDto,
  ): Answer<'message:edit'> {
    return this.messages.edit(data.actor, edit);
  }

  @SubscribeMessage('message:delete')
  delete(
    @ConnectedSocket() { data }: RealtimeSocket,
    @MessageBody() message: DeleteMessageDto,
  ): Answer<'message:delete'> {
    return this.messages.delete(data.actor, message);
  }

  @SubscribeMessage('message:react')
  react(
    @ConnectedSocket() { data }: RealtimeSocket,
    @MessageBody() reaction: ReactToMessageDto,
  ): Answer<'message:react'> {
    return this.messages.react(data.actor, reaction);
  }

  @SubscribeMessage('message:pin')
  pin(@ConnectedSocket() { data }: RealtimeSocket, @MessageBody() pin: PinMessageDto): Answer<'message:pin'> {
    return this.messages.pin(data.actor, pin);
  }

  @SubscribeMessage('message:read')
  read(
    @ConnectedSocket() { data }: RealtimeSocket,
    @MessageBody() position: ReadMessageDto,
  ): Answer<'message:read'> {
    return this.readStates.read(data.actor, position);
  }

  @SubscribeMessage('message:history')
  history(
    @ConnectedSocket() { data }: RealtimeSocket,
    @MessageBody() page: ReadHistoryDto,
  ): Answer<'message:history'> {
    return this.log.history(data.actor, page);
  }

  @SubscribeMessage('typing:start')
  startTyping(@ConnectedSocket() { data }: RealtimeSocket, @MessageBody() typing: TypingDto): Promise<void> {
    return this.typing.start(data.actor, typing);
  }

  @SubscribeMessage('typing:stop')
  stopTyping(@ConnectedSocket() { data }: RealtimeSocket, @MessageBody() typing: TypingDto): Promise<void> {
    return this.typing.stop(data.actor, typing);
  }
}

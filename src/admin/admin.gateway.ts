import { ConnectedSocket, MessageBody, SubscribeMessage, type OnGatewayConnection } from '@nestjs/websockets';
import type { AdminCommands } from '../contract/admin.js';
import { MessagesService } from '../messages/messages.service.js';
import { AnnouncementsService } from '../notifications/announcements.service.js';
import { Connections } from '../platform/realtime/connections.js';
import { RealtimeGateway } from '../platform/realtime/realtime-gateway.decorator.js';
import type { RealtimeSocket } from '../platform/realtime/realtime-socket.js';
import { RefreshAuthDto } from '../platform/realtime/refresh-auth.dto.js';
import { AllowExpired } from '../platform/realtime/session.guard.js';
import { RoomAdministration } from '../rooms/room-administration.service.js';
import { UserAdministration } from '../users/user-administration.service.js';
import { AdminSession } from './admin-session.js';
import { ConnectionList } from './connection-list.service.js';
import {
  DeleteAnyMessageDto,
  OnRoomDto,
  OnUserDto,
  SendAnnouncementDto,
  SetUserRoleDto,
} from './dto/acts.dto.js';
import { ListConnectionsDto } from './dto/admin-queries.dto.js';
import { UserDisconnect } from './user-disconnect.service.js';

type Result<C extends keyof AdminCommands> = AdminCommands[C]['result'];

/** The commands of `/admin`, which only administrators enter. */
@RealtimeGateway('/admin')
export class AdminGateway implements OnGatewayConnection<RealtimeSocket> {
  constructor(
    private readonly session: AdminSession,
    private readonly connections: Connections,
    private readonly connectionList: ConnectionList,
    private readonly users: UserAdministration,
    private readonly userDisconnect: UserDisconnect,
    private readonly rooms: RoomAdministration,
    private readonly messages: MessagesService,
    private readonly announcements: AnnouncementsService,
  ) {}

  handleConnection(socket: RealtimeSocket): Promise<void> {
    return this.session.open(socket);
  }

  @SubscribeMessage('auth:refresh')
  @AllowExpired()
  refreshAuth(
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() { token }: RefreshAuthDto,
  ): Promise<Result<'auth:refresh'>> {
    return this.connections.refresh(socket, token);
  }

  @SubscribeMessage('announcement:send')
  announce(
    @ConnectedSocket() { data }: RealtimeSocket,
    @MessageBody() act: SendAnnouncementDto,
  ): Promise<Result<'announcement:send'>> {
    return this.announcements.send(data.actor, act);
  }

  @SubscribeMessage('user:disconnect')
  disconnectUser(@ConnectedSocket() { data }: RealtimeSocket, @MessageBody() act: OnUserDto): Promise<void> {
    return this.userDisconnect.disconnect(data.actor, act);
  }

  @SubscribeMessage('user:suspend')
  suspend(@ConnectedSocket() { data }: RealtimeSocket, @MessageBody() act: OnUserDto): Promise<void> {
    return this.users.suspend(data.actor, act);
  }

  @SubscribeMessage('user:resume')
  resume(@ConnectedSocket() { data }: RealtimeSocket, @MessageBody() act: OnUserDto): Promise<void> {
    return this.users.resume(data.actor, act);
  }

  @SubscribeMessage('user:role')
  setRole(@ConnectedSocket() { data }: RealtimeSocket, @MessageBody() act: SetUserRoleDto): Promise<void> {
    return this.users.setRole(data.actor, act);
  }

  @SubscribeMessage('room:freeze')
  freeze(@ConnectedSocket() { data }: RealtimeSocket, @MessageBody() act: OnRoomDto): Promise<void> {
    return this.rooms.freeze(data.actor, act);
  }

  @SubscribeMessage('room:unfreeze')
  unfreeze(@ConnectedSocket() { data }: RealtimeSocket, @MessageBody() act: OnRoomDto): Promise<void> {
    return this.rooms.unfreeze(data.actor, act);
  }

  @SubscribeMessage('message:delete')
  deleteMessage(
    @ConnectedSocket() { data }: RealtimeSocket,
    @MessageBody() act: DeleteAnyMessageDto,
  ): Promise<void> {
    return this.messages.deleteAny(data.actor, act);
  }

  @SubscribeMessage('connection:list')
  listConnections(
    @ConnectedSocket() { data }: RealtimeSocket,
    @MessageBody() page: ListConnectionsDto,
  ): Result<'connection:list'> {
    return this.connectionList.list(data.actor, page);
  }
}

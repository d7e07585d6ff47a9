import { ConnectedSocket, MessageBody, SubscribeMessage, type OnGatewayConnection } from '@nestjs/websockets';
import type { NotificationCommands } from '../contract/notifications.js';
import { Connections } from '../platform/realtime/connections.js';
import { RealtimeGateway } from '../platform/realtime/realtime-gateway.decorator.js';
import type { RealtimeSocket } from '../platform/realtime/realtime-socket.js';
import { RefreshAuthDto } from '../platform/realtime/refresh-auth.dto.js';
import { AllowExpired } from '../platform/realtime/session.guard.js';
import {
  ArchiveNotificationsDto,
  ListNotificationsDto,
  NoFieldsDto,
  ReadNotificationsDto,
  SetPreferenceDto,
} from './dto/notifications.dto.js';
import { InboxService } from './inbox.service.js';
import { NotificationsSession } from './notifications-session.js';
import { PreferencesService } from './preferences.service.js';

type Answer<C extends keyof NotificationCommands> = Promise<NotificationCommands[C]['result']>;

/** The commands of `/notifications`. Each is one line: what it does is in the service it calls. */
@RealtimeGateway('/notifications')
export class NotificationsGateway implements OnGatewayConnection<RealtimeSocket> {
  constructor(
    private readonly session: NotificationsSession,
    private readonly connections: Connections,
    private readonly inbox: InboxService,
    private readonly preferences: PreferencesService,
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

  @SubscribeMessage('notification:list')
  list(
    @ConnectedSocket() { data }: RealtimeSocket,
    @MessageBody() page: ListNotificationsDto,
  ): Answer<'notification:list'> {
    return this.inbox.list(data.actor, page);
  }

  @SubscribeMessage('notification:seen')
  seen(
    @ConnectedSocket() { data }: RealtimeSocket,
    @MessageBody() _nothing: NoFieldsDto,
  ): Answer<'notification:seen'> {
    return this.inbox.seen(data.actor);
  }

  @SubscribeMessage('notification:read')
  read(
    @ConnectedSocket() { data }: RealtimeSocket,
    @MessageBody() which: ReadNotificationsDto,
  ): Answer<'notification:read'> {
    return this.inbox.read(data.actor, which);
  }

  @SubscribeMessage('notification:archive')
  archive(
    @ConnectedSocket() { data }: RealtimeSocket,
    @MessageBody() { ids }: ArchiveNotificationsDto,
  ): Answer<'notification:archive'> {
    return this.inbox.archive(data.actor, ids);
  }

  @SubscribeMessage('preference:get')
  getPreferences(
    @ConnectedSocket() { data }: RealtimeSocket,
    @MessageBody() _nothing: NoFieldsDto,
  ): Answer<'preference:get'> {
    return this.preferences.get(data.actor);
  }

  @SubscribeMessage('preference:set')
  setPreference(
    @ConnectedSocket() { data }: RealtimeSocket,
    @MessageBody() preference: SetPreferenceDto,
  ): Answer<'preference:set'> {
    return this.preferences.set(data.actor, preference);
  }
}

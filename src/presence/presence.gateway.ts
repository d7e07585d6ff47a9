import { ConnectedSocket, MessageBody, SubscribeMessage, type OnGatewayConnection } from '@nestjs/websockets';
import type { PresenceCommands } from '../contract/presence.js';
import { Connections } from '../platform/realtime/connections.js';
import { RealtimeGateway } from '../platform/realtime/realtime-gateway.decorator.js';
import type { RealtimeSocket } from '../platform/realtime/realtime-socket.js';
import { RefreshAuthDto } from '../platform/realtime/refresh-auth.dto.js';
import { AllowExpired } from '../platform/realtime/session.guard.js';
import { PresenceActivityDto, SetPresenceDto, WatchPresenceDto } from './dto/presence.dto.js';
import { OwnPresences } from './own-presence.service.js';
import { PresenceSession } from './presence-session.js';
import { Watching } from './watching.service.js';

type Answer<C extends keyof PresenceCommands> = Promise<PresenceCommands[C]['result']>;

/** The commands of `/presence`. Each is one line: what it does is in the service it calls. */
@RealtimeGateway('/presence')
export class PresenceGateway implements OnGatewayConnection<RealtimeSocket> {
  constructor(
    private readonly session: PresenceSession,
    private readonly connections: Connections,
    private readonly own: OwnPresences,
    private readonly watching: Watching,
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

  @SubscribeMessage('presence:set')
  set(
    @ConnectedSocket() { data }: RealtimeSocket,
    @MessageBody() presence: SetPresenceDto,
  ): Answer<'presence:set'> {
    return this.own.set(data.actor, presence);
  }

  /** The dispatcher has told it already, as for every command that shows activity. */
  @SubscribeMessage('presence:activity')
  activity(@ConnectedSocket() _socket: RealtimeSocket, @MessageBody() _nothing: PresenceActivityDto): void {
    return undefined;
  }

  @SubscribeMessage('presence:watch')
  watch(
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() { userIds }: WatchPresenceDto,
  ): Promise<void> {
    return this.watching.watch(socket, userIds);
  }

  @SubscribeMessage('presence:unwatch')
  unwatch(@ConnectedSocket() socket: RealtimeSocket, @MessageBody() { userIds }: WatchPresenceDto): void {
    this.watching.unwatch(socket, userIds);
  }
}

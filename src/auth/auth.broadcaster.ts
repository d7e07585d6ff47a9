import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ClusterCommands } from '../platform/cluster/cluster-commands.js';
import { DomainEvents } from '../platform/events/domain-events.js';
import { Connections } from '../platform/realtime/connections.js';
import { UserRoleChanged, UserSuspended } from '../users/users.events.js';
import { SessionRevoked, UserTokensRevoked } from './auth.events.js';

/** Ended sign-ins, closed accounts and lost roles -> their sockets are told and closed, on every node. */
@Injectable()
export class AuthBroadcaster implements OnModuleInit {
  constructor(
    private readonly events: DomainEvents,
    private readonly connections: Connections,
    private readonly cluster: ClusterCommands,
  ) {}

  onModuleInit(): void {
    this.cluster.share('session.revoked', SessionRevoked);
    this.cluster.share('user.tokens-revoked', UserTokensRevoked);
    this.cluster.share('user.suspended', UserSuspended);
    this.cluster.share('user.role', UserRoleChanged);
    this.events.on(SessionRevoked, ({ sessionId, userId }) =>
      this.connections.closeSession(sessionId, userId, 'SESSION_REVOKED'),
    );
    this.events.on(UserTokensRevoked, ({ userId }) => this.connections.closeUser(userId, 'SESSION_REVOKED'));
    this.events.on(UserSuspended, ({ userId }) => this.connections.closeUser(userId, 'SUSPENDED'));
    this.events.on(UserRoleChanged, ({ userId, role }) => this.connections.changeRole(userId, role));
  }
}

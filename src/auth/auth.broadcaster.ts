import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DomainEvents } from '../platform/events/domain-events.js';
import { Connections } from '../platform/realtime/connections.js';
import { UserRoleChanged, UserSuspended } from '../users/users.events.js';
import { SessionRevoked, UserTokensRevoked } from './auth.events.js';

/** Ended sign-ins, closed accounts and lost roles -> their sockets are told and closed. */
@Injectable()
export class AuthBroadcaster implements OnModuleInit {
  constructor(
    private readonly events: DomainEvents,
    private readonly connections: Connections,
  ) {}

  onModuleInit(): void {
    this.events.on(SessionRevoked, ({ sessionId, userId }) =>
      this.connections.closeSession(sessionId, userId, 'SESSION_REVOKED'),
    );
    this.events.on(UserTokensRevoked, ({ userId }) => this.connections.closeUser(userId, 'SESSION_REVOKED'));
    this.events.on(UserSuspended, ({ userId }) => this.connections.closeUser(userId, 'SUSPENDED'));
    this.events.on(UserRoleChanged, ({ userId, role }) => this.connections.changeRole(userId, role));
  }
}

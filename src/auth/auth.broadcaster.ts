import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DomainEvents } from '../platform/events/domain-events.js';
import { Connections } from '../platform/realtime/connections.js';
import { SessionRevoked, UserTokensRevoked } from './auth.events.js';

/** Ended sign-ins -> their sockets are told and closed. */
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
  }
}

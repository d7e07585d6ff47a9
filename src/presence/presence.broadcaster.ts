import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DomainEvents } from '../platform/events/domain-events.js';
import { Publisher } from '../platform/realtime/publisher.js';
import { OwnPresenceChanged } from './presence.events.js';
import { ownView } from './presence.view.js';

/** What somebody chose -> their own sockets. What the others see leaves through `Watchers`, in frames. */
@Injectable()
export class PresenceBroadcaster implements OnModuleInit {
  constructor(
    private readonly events: DomainEvents,
    private readonly publisher: Publisher,
  ) {}

  onModuleInit(): void {
    this.events.on(OwnPresenceChanged, ({ state }) =>
      this.publisher.presence.toUsers([state.userId], 'presence:own', ownView(state.own)),
    );
  }
}

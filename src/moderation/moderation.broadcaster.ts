import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DomainEvents } from '../platform/events/domain-events.js';
import { Publisher } from '../platform/realtime/publisher.js';
import { ReportCreated } from './moderation.events.js';

/** Reports -> the administrators who are watching. */
@Injectable()
export class ModerationBroadcaster implements OnModuleInit {
  constructor(
    private readonly events: DomainEvents,
    private readonly publisher: Publisher,
  ) {}

  onModuleInit(): void {
    this.events.on(ReportCreated, ({ report }) => this.publisher.admin.toAll('report:created', report));
  }
}

import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DomainEvents } from '../platform/events/domain-events.js';
import { Publisher } from '../platform/realtime/publisher.js';
import { AuditAppended } from './audit.events.js';

/** Acts -> the administrators who are watching. */
@Injectable()
export class AuditBroadcaster implements OnModuleInit {
  constructor(
    private readonly events: DomainEvents,
    private readonly publisher: Publisher,
  ) {}

  onModuleInit(): void {
    this.events.on(AuditAppended, ({ entry }) => this.publisher.admin.toAll('audit:appended', entry));
  }
}

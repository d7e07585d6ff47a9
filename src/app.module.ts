import { Module, type DynamicModule, type OnModuleDestroy } from '@nestjs/common';
import { AdminModule } from './admin/admin.module.js';
import { AuditModule } from './audit/audit.module.js';
import { AuthModule } from './auth/auth.module.js';
import { ChatModule } from './chat/chat.module.js';
import { DeliveryModule } from './delivery/delivery.module.js';
import { MessagesModule } from './messages/messages.module.js';
import { ModerationModule } from './moderation/moderation.module.js';
import { NotificationsModule } from './notifications/notifications.module.js';
import { ClusterModule } from './platform/cluster/cluster.module.js';
import type { Config } from './platform/config/config.js';
import { ConfigModule } from './platform/config/config.module.js';
import { DatabaseModule } from './platform/database/database.module.js';
import { DocsModule } from './platform/docs/docs.module.js';
import { DomainEvents } from './platform/events/domain-events.js';
import { EventsModule } from './platform/events/events.module.js';
import { HealthModule } from './platform/health/health.module.js';
import { Jobs } from './platform/jobs/jobs.js';
import { JobsModule } from './platform/jobs/jobs.module.js';
import { MetricsModule } from './platform/metrics/metrics.module.js';
import { Outbox } from './platform/outbox/outbox.js';
import { OutboxModule } from './platform/outbox/outbox.module.js';
import { Connections } from './platform/realtime/connections.js';
import { RealtimeModule } from './platform/realtime/realtime.module.js';
import { ThrottlingModule } from './platform/throttling/throttling.module.js';
import { PresenceModule } from './presence/presence.module.js';
import { RoomsModule } from './rooms/rooms.module.js';
import { UsersModule } from './users/users.module.js';

/** Parley: what it runs on, then what it does. */
@Module({})
export class AppModule implements OnModuleDestroy {
  constructor(
    private readonly connections: Connections,
    private readonly events: DomainEvents,
    private readonly jobs: Jobs,
    private readonly outbox: Outbox,
  ) {}

  static with(config: Config): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.with(config),
        EventsModule,
        MetricsModule,
        HealthModule,
        DatabaseModule,
        ClusterModule,
        JobsModule,
        OutboxModule,
        ThrottlingModule,
        RealtimeModule,
        DocsModule,

        AuditModule,
        AuthModule,
        UsersModule,
        RoomsModule,
        MessagesModule,
        NotificationsModule,
        DeliveryModule,
        ModerationModule,
        PresenceModule,
        ChatModule,
        AdminModule,
      ],
    };
  }

  /** Nest ends the root module first: what is in flight is finished while every feature still works. */
  async onModuleDestroy(): Promise<void> {
    await Promise.all([this.connections.drain(), this.jobs.drain()]);
    await this.outbox.stop();
    await this.events.settled();
  }
}

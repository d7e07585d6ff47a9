import { Module, type DynamicModule, type OnModuleDestroy } from '@nestjs/common';
import { AdminModule } from './admin/admin.module.js';
import { AuthModule } from './auth/auth.module.js';
import { ChatModule } from './chat/chat.module.js';
import { MessagesModule } from './messages/messages.module.js';
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
import { Connections } from './platform/realtime/connections.js';
import { RealtimeModule } from './platform/realtime/realtime.module.js';
import { ThrottlingModule } from './platform/throttling/throttling.module.js';
import { RoomsModule } from './rooms/rooms.module.js';
import { UsersModule } from './users/users.module.js';

/** Parley: what it runs on, then what it does. */
@Module({})
export class AppModule implements OnModuleDestroy {
  constructor(
    private readonly connections: Connections,
    private readonly events: DomainEvents,
    private readonly jobs: Jobs,
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
        JobsModule,
        ThrottlingModule,
        RealtimeModule,
        DocsModule,

        AuthModule,
        UsersModule,
        RoomsModule,
        MessagesModule,
        ChatModule,
        AdminModule,
      ],
    };
  }

  /** Nest ends the root module first: what is in flight is finished while every feature still works. */
  async onModuleDestroy(): Promise<void> {
    await Promise.all([this.connections.drain(), this.jobs.drain()]);
    await this.events.settled();
  }
}

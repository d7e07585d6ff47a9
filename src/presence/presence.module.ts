import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/config.js';
import { OnlineUsers } from '../rooms/online-users.service.js';
import { ConnectedUsers } from './connected-users.js';
import { Devices } from './devices.service.js';
import { MemoryPresenceStore } from './memory-presence.store.js';
import { OwnPresences } from './own-presence.service.js';
import { PresenceBroadcaster } from './presence.broadcaster.js';
import { PresenceController } from './presence.controller.js';
import { PresenceGateway } from './presence.gateway.js';
import { PresenceList } from './presence-list.service.js';
import { PresenceRepository } from './presence.repository.js';
import { PresenceSession } from './presence-session.js';
import { PresenceSettingEntity } from './presence-setting.entity.js';
import { LEASE_MS, PresenceStore } from './presence.store.js';
import { Roster } from './roster.service.js';
import { Watching } from './watching.service.js';

/** Who is there. Global, because rooms find their `OnlineUsers` here. */
@Global()
@Module({
  imports: [TypeOrmModule.forFeature([PresenceSettingEntity])],
  controllers: [PresenceController],
  providers: [
    ConnectedUsers,
    Devices,
    OwnPresences,
    PresenceBroadcaster,
    PresenceGateway,
    PresenceList,
    PresenceRepository,
    PresenceSession,
    Roster,
    Watching,
    { provide: OnlineUsers, useExisting: ConnectedUsers },
    {
      provide: PresenceStore,
      inject: [CONFIG],
      useFactory: ({ presence }: Config) =>
        new MemoryPresenceStore({ lingerMs: presence.offlineMs, leaseMs: LEASE_MS }),
    },
  ],
  exports: [OnlineUsers],
})
export class PresenceModule {}

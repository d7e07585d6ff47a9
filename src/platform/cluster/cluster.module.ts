import { Global, Inject, Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { Config } from '../config/config.js';
import { CONFIG } from '../config/config.module.js';
import { ConnectionPool } from '../database/connection-pool.js';
import { Metrics } from '../metrics/metrics.js';
import { ClusterCommandEntity } from './cluster-command.entity.js';
import { ClusterCommands } from './cluster-commands.js';
import { ClusterCommandsRepository } from './cluster-commands.repository.js';
import { REDIS, RedisClients } from './redis.js';
import { RoomBus } from './room-bus.js';

/** What several nodes tell each other. */
@Global()
@Module({
  imports: [TypeOrmModule.forFeature([ClusterCommandEntity])],
  providers: [
    { provide: REDIS, inject: [CONFIG, Metrics, ConnectionPool], useFactory: open },
    RoomBus,
    ClusterCommands,
    ClusterCommandsRepository,
  ],
  exports: [REDIS, RoomBus, ClusterCommands],
})
export class ClusterModule implements OnApplicationShutdown {
  constructor(@Inject(REDIS) private readonly redis: RedisClients | null) {}

  onApplicationShutdown(): void {
    this.redis?.close();
  }
}

/** After the database, so that nothing is half open when this fails. */
async function open({ redis }: Config, metrics: Metrics, pool: ConnectionPool): Promise<RedisClients | null> {
  if (!redis) return null;
  const clients = new RedisClients(redis.url, redis.prefix, (isUp) => metrics.redis(isUp));
  try {
    await clients.connect();
  } catch (error) {
    if (!redis.optional) {
      clients.close();
      await pool.end();
      throw error;
    }
    new Logger('Redis').warn(error instanceof Error ? error.message : String(error));
  }
  return clients;
}

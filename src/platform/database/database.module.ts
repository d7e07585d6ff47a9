import { Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { Config } from '../config/config.js';
import { CONFIG } from '../config/config.module.js';
import { SECRETS, type Secrets } from '../config/secrets.js';
import { ConnectionPool } from './connection-pool.js';
import { databaseOptions } from './database.options.js';
import { EMBEDDED_STORAGE, EmbeddedStorage } from './embedded-storage.js';
import { EmbeddedVacuum } from './embedded-vacuum.js';
import { loadSecrets } from './load-secrets.js';
import { migrate } from './migrate.js';
import { UnitOfWork } from './unit-of-work.js';

/** Opens what lies below the DataSource, and the secrets that are kept beside it. */
@Module({
  providers: [
    {
      provide: EMBEDDED_STORAGE,
      inject: [CONFIG],
      useFactory: (config: Config) =>
        config.database.kind === 'embedded' ? EmbeddedStorage.open(config.dataDir) : null,
    },
    {
      provide: SECRETS,
      // Storage first: it holds the lock on the directory in which secrets are made.
      inject: [CONFIG, EMBEDDED_STORAGE],
      useFactory: (config: Config): Promise<Secrets> => loadSecrets(config),
    },
  ],
  exports: [EMBEDDED_STORAGE, SECRETS],
})
class StorageModule {}

/**
 * The database, migrated and connected, for every feature. Closed last, in `onApplicationShutdown`: features finish
 * their work with it in `onModuleDestroy` or `beforeApplicationShutdown`.
 */
@Global()
@Module({
  imports: [
    StorageModule,
    TypeOrmModule.forRootAsync({
      imports: [StorageModule],
      inject: [CONFIG, EMBEDDED_STORAGE],
      useFactory: prepare,
    }),
  ],
  providers: [UnitOfWork, ConnectionPool, EmbeddedVacuum],
  exports: [UnitOfWork, ConnectionPool, StorageModule],
})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(EMBEDDED_STORAGE) private readonly storage: EmbeddedStorage | null,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    // Nest's TypeORM module destroys it too, when it comes first; its turn is not ours to choose.
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
    await this.storage?.close();
  }
}

async function prepare(config: Config, storage: EmbeddedStorage | null): Promise<TypeOrmModuleOptions> {
  const options = databaseOptions(config, storage?.database);
  try {
    await migrate(options);
  } catch (error) {
    await storage?.close();
    throw error;
  }
  // `migrate` has waited for the server already; entities are those the features name in `TypeOrmModule.forFeature`.
  return { ...options, autoLoadEntities: true, retryAttempts: 0 };
}

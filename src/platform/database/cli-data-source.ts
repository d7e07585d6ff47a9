import { DataSource } from 'typeorm';
import type { Config } from '../config/config.js';
import { databaseOptions } from './database.options.js';
import { EmbeddedStorage } from './embedded-storage.js';
import { findEntities } from './entities.js';

/** The DataSource of the TypeORM CLI. In embedded mode it holds the lock on the data directory until it is destroyed. */
export async function cliDataSource(config: Config): Promise<DataSource> {
  const storage =
    config.database.kind === 'embedded' ? await EmbeddedStorage.open(config.dataDir) : undefined;
  const dataSource = new DataSource({
    ...databaseOptions(config, storage?.database),
    entities: await findEntities(),
  });
  const destroy = dataSource.destroy.bind(dataSource);
  dataSource.destroy = async () => {
    await destroy();
    await storage?.close();
  };
  return dataSource;
}

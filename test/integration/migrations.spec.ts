import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { databaseOptions } from '../../src/platform/database/database.options.js';
import { EmbeddedStorage } from '../../src/platform/database/embedded-storage.js';
import { findEntities } from '../../src/platform/database/entities.js';
import { migrate } from '../../src/platform/database/migrate.js';
import { configOn, createEmptyDatabase, type TestDatabase } from '../harness/database.js';

Logger.overrideLogger(false);
// In embedded mode every test runs initdb.
jest.setTimeout(60_000);

/** `npm run migration:check`. */
describe('migrations', () => {
  let database: TestDatabase;
  let storage: EmbeddedStorage | undefined;
  const options = () => databaseOptions(configOn(database), storage?.database);

  beforeEach(async () => {
    database = await createEmptyDatabase();
    const config = configOn(database);
    if (config.database.kind === 'embedded') storage = await EmbeddedStorage.open(config.dataDir);
  });
  afterEach(async () => {
    await storage?.close();
    storage = undefined;
    await database.drop();
  });

  it('lead to the schema the entities describe, and go down and up again', async () => {
    const dataSource = await new DataSource({ ...options(), entities: await findEntities() }).initialize();
    try {
      expect(dataSource.entityMetadatas.length).toBeGreaterThan(0);
      await dataSource.runMigrations();
      expect(await differences(dataSource)).toEqual([]);
      for (const migration of dataSource.migrations) {
        expect(migration.name).toBeTruthy();
        await dataSource.undoLastMigration();
      }
      expect(await tables(dataSource)).toEqual(['migrations']);
      await dataSource.runMigrations();
      expect(await differences(dataSource)).toEqual([]);
    } finally {
      await dataSource.destroy();
    }
  });

  it('run once when several nodes start together', async () => {
    await Promise.all([migrate(options()), migrate(options()), migrate(options())]);
    await migrate(options());
    const dataSource = await new DataSource(options()).initialize();
    const ran = await dataSource.query<{ name: string }[]>('SELECT name FROM migrations ORDER BY id');
    expect(ran.map(({ name }) => name)).toEqual(dataSource.migrations.map(({ name }) => name));
    await dataSource.destroy();
  });

  /** SQL that TypeORM would run to make the schema what the entities say. */
  async function differences(dataSource: DataSource): Promise<string[]> {
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    return upQueries.map(({ query }) => query);
  }

  async function tables(dataSource: DataSource): Promise<string[]> {
    const rows = await dataSource.query<{ name: string }[]>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`,
    );
    return rows.map(({ name }) => name);
  }
});

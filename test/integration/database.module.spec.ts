import { readdir } from 'node:fs/promises';
import { Logger, Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { ConfigModule } from '../../src/platform/config/config.module.js';
import type { Config } from '../../src/platform/config/config.js';
import { SECRETS, type Secrets } from '../../src/platform/config/secrets.js';
import { DatabaseModule } from '../../src/platform/database/database.module.js';
import { EmbeddedVacuum } from '../../src/platform/database/embedded-vacuum.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { EventsModule } from '../../src/platform/events/events.module.js';
import { configOn, createEmptyDatabase, createTestDatabase, type TestDatabase } from '../harness/database.js';

Logger.overrideLogger(false);
// initdb alone takes seconds on a busy machine.
jest.setTimeout(90_000);

@Module({})
class Platform {}

describe('DatabaseModule', () => {
  let database: TestDatabase;
  const start = (config: Config) =>
    NestFactory.createApplicationContext(
      { module: Platform, imports: [ConfigModule.with(config), EventsModule, DatabaseModule] },
      { logger: false, abortOnError: false },
    );

  afterEach(() => database.drop());

  it('starts migrated, closes everything, and starts again', async () => {
    database = await createEmptyDatabase();
    for (let round = 0; round < 2; round++) {
      const app = await start(configOn(database));
      const users = (await app
        .get(UnitOfWork)
        .run((tx) => tx.manager.query('SELECT count(*) AS n FROM users'))) as unknown;
      expect(users).toEqual([{ n: 0 }]);
      expect(app.get<Secrets>(SECRETS).jwtSecret).toBe('only-for-tests-only-for-tests-only');
      const dataSource = app.get(DataSource);
      await app.close();
      expect(dataSource.isInitialized).toBe(false);
    }
  });

  it('gives sessions the limits of a server that serves people', async () => {
    database = await createTestDatabase();
    const app = await start(configOn(database));
    const show = async (name: string) =>
      (await app.get(DataSource).query<Record<string, string>[]>(`SHOW ${name}`))[0]?.[name];
    expect(await show('TimeZone')).toMatch(/^(UTC|GMT)$/);
    if (database.databaseUrl) {
      expect(await show('statement_timeout')).toBe('15s');
      expect(await show('idle_in_transaction_session_timeout')).toBe('30s');
      expect(await show('application_name')).toBe('parley');
    }
    await app.close();
  });

  it('lets nobody into a data directory twice, and leaves it free when it cannot start', async () => {
    database = await createTestDatabase();
    // The embedded mode is tested whatever database the run uses.
    const embedded = configOn({ ...database, databaseUrl: undefined }, { JWT_SECRET: '' });
    const app = await start(embedded);
    await expect(start(embedded)).rejects.toThrow(
      `${database.dataDir} is in use by process ${String(process.pid)}`,
    );
    expect(await readdir(database.dataDir)).toEqual(expect.arrayContaining(['pgdata', 'secrets.json']));
    await vacuumTidiesUp(app);
    await app.get(DataSource).query('DROP TABLE migrations');
    await app.close();
    // Migrations that fail: the tables are there already. TypeORM says so on the console whatever its logger is.
    jest.spyOn(console, 'log').mockImplementation();
    await expect(start(embedded)).rejects.toThrow('already exists');
    await expect(start(embedded)).rejects.toThrow('already exists');
  });

  async function vacuumTidiesUp(app: INestApplicationContext): Promise<void> {
    const dataSource = app.get(DataSource);
    await dataSource.query('CREATE TABLE churn AS SELECT generate_series(1, 2000) AS i');
    await dataSource.query('DELETE FROM churn');
    // Statistics are written once a second otherwise.
    const flush = () => dataSource.query('SELECT pg_stat_force_next_flush()');
    await flush();
    await app.get(EmbeddedVacuum).run();
    await flush();
    const [stats] = await dataSource.query<{ n: number; size: number }[]>(
      `SELECT vacuum_count AS n, pg_relation_size('churn') AS size FROM pg_stat_user_tables WHERE relname = 'churn'`,
    );
    expect(stats).toEqual({ n: 1, size: 0 });
  }
});

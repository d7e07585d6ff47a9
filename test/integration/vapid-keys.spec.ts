import { DataSource } from 'typeorm';
import { ServerKeysRepository } from '../../src/delivery/server-keys.repository.js';
import { VapidKeys } from '../../src/delivery/vapid-keys.js';
import { databaseOptions } from '../../src/platform/database/database.options.js';
import { configOn, createTestDatabase, type TestDatabase } from '../harness/database.js';
import { onPostgres } from '../harness/writer-fixture.js';

/** As many callers as there are wait for each other. */
class Barrier {
  private open: () => void = () => undefined;
  private readonly opened = new Promise<void>((resolve) => (this.open = resolve));

  constructor(private missing: number) {}

  pass(): Promise<void> {
    if (--this.missing <= 0) this.open();
    return this.opened;
  }
}

(onPostgres() ? describe : describe.skip)('VAPID keys', () => {
  let database: TestDatabase;
  let sources: DataSource[];

  beforeEach(async () => {
    database = await createTestDatabase();
    sources = [1, 2].map(() => new DataSource(databaseOptions(configOn(database))));
    for (const source of sources) await source.initialize();
  });
  afterEach(async () => {
    for (const source of sources) await source.destroy();
    await database.drop();
  });

  // Browsers that subscribed with the key of the loser could never be told anything.
  it('of two instances that start for the first time at once are the same, and stay', async () => {
    const bothHaveLooked = new Barrier(sources.length);
    const pairs = await Promise.all(
      sources.map((source) => {
        const kept = new ServerKeysRepository(source);
        const find = kept.find.bind(kept);
        kept.find = async (purpose) => {
          const found = await find(purpose);
          await bothHaveLooked.pass();
          return found;
        };
        return new VapidKeys(configOn(database), kept).get();
      }),
    );
    expect(pairs[0]?.publicKey).toEqual(expect.any(String));
    expect(pairs[1]).toEqual(pairs[0]);
    const later = new VapidKeys(configOn(database), new ServerKeysRepository(sources[0]!));
    expect(await later.get()).toEqual(pairs[0]);
  });
});

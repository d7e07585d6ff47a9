import { join } from 'node:path';
import { DataDirectory } from './data-directory.js';
import { EmbeddedDatabase } from './embedded-database.js';

/** Injection token of the `EmbeddedStorage`; null with Postgres. */
export const EMBEDDED_STORAGE = Symbol('EMBEDDED_STORAGE');

/** What the embedded mode holds while it runs: the lock on the data directory, and the database in it. */
export class EmbeddedStorage {
  private constructor(
    readonly database: EmbeddedDatabase,
    private readonly directory: DataDirectory,
  ) {}

  static async open(dataDir: string): Promise<EmbeddedStorage> {
    const held: { database?: EmbeddedDatabase } = {};
    const directory = await DataDirectory.lock(dataDir, (error) => held.database?.fail(error));
    try {
      held.database = await EmbeddedDatabase.open(join(directory.path, 'pgdata'));
      return new EmbeddedStorage(held.database, directory);
    } catch (error) {
      await directory.release();
      throw error;
    }
  }

  /** After the pool: the lock goes last, when nothing writes any more. */
  async close(): Promise<void> {
    try {
      await this.database.close();
    } finally {
      await this.directory.release();
    }
  }
}

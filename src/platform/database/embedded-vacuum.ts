import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { DataSource } from 'typeorm';
import { EMBEDDED_STORAGE, type EmbeddedStorage } from './embedded-storage.js';

const INTERVAL_MS = 60_000;

/** The thresholds of Postgres's own autovacuum. */
const OVERDUE = `
  SELECT quote_ident(schemaname) || '.' || quote_ident(relname) AS name FROM pg_stat_user_tables
  WHERE n_dead_tup > 50 + 0.2 * n_live_tup OR n_mod_since_analyze > 50 + 0.1 * n_live_tup OR n_ins_since_vacuum > 1000 + 0.2 * n_live_tup`;

/**
 * Autovacuum for the embedded database, which has no background processes: without it a room's row, rewritten with every
 * message, would grow its table for ever, and the planner would know no statistics. One table at a time, so that people's
 * statements come in between. Does nothing on Postgres.
 */
@Injectable()
export class EmbeddedVacuum implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(EmbeddedVacuum.name);
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private stopped = false;

  constructor(
    private readonly dataSource: DataSource,
    @Inject(EMBEDDED_STORAGE) private readonly storage: EmbeddedStorage | null,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.storage) return;
    this.timer = setInterval(() => {
      this.running ??= this.run().finally(() => (this.running = undefined));
    }, INTERVAL_MS).unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    this.stopped = true;
    await this.running;
  }

  async run(): Promise<void> {
    try {
      for (const { name } of await this.dataSource.query<{ name: string }[]>(OVERDUE)) {
        if (this.stopped) return;
        await this.dataSource.query(`VACUUM (ANALYZE) ${name}`);
      }
    } catch (error) {
      this.logger.warn('VACUUM failed; it is tried again', error);
    }
  }
}

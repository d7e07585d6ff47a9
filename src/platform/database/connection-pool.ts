import { Injectable } from '@nestjs/common';
import type { Pool } from 'pg';
import { DataSource } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';

export interface PoolUsage {
  /** Open connections. */
  size: number;
  idle: number;
  /** Statements and units of work that wait for a connection. */
  waiting: number;
}

/** The connections to the database, as `pg` counts them; in embedded mode there is one. */
@Injectable()
export class ConnectionPool {
  constructor(private readonly dataSource: DataSource) {}

  /** For a start that fails after the database was opened: Nest ends only an application that has come up. */
  async end(): Promise<void> {
    await this.dataSource.destroy();
  }

  usage(): PoolUsage {
    const pool = (this.dataSource.driver as PostgresDriver).master as Pool;
    return { size: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount };
  }
}

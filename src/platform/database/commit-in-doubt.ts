import { setTimeout as delay } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { sqlStateOf } from '../errors/database-error.js';
import { RolledBack } from './pipelined-transaction.js';

/** A transaction whose COMMIT was not answered is looked for this long before it counts as lost. */
const SETTLE_MS = 10_000;
const ASK_AGAIN_MS = 100;

/**
 * True when the server may have committed without our hearing of it: the connection broke, or stayed silent. Any other
 * SQLSTATE is an answer, and the transaction is rolled back.
 */
export function inDoubt(commitError: unknown): boolean {
  if (commitError instanceof RolledBack) return false;
  const state = sqlStateOf(commitError);
  return state === undefined || state.startsWith('08') || state.startsWith('57P');
}

/** Asks until the server answers. A transaction it still keeps open for the lost connection is ended: it holds our locks. */
export async function wasCommitted(dataSource: DataSource, xid: string): Promise<boolean> {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    try {
      const status = await settle(dataSource, xid);
      if (status !== 'in progress') return status === 'committed';
      if (performance.now() > deadline) return false;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await delay(ASK_AGAIN_MS);
  }
}

async function settle(dataSource: DataSource, xid: string): Promise<string | null> {
  const [row] = await dataSource.query<{ status: string | null }[]>(
    `SELECT s.status, (SELECT bool_or(pg_terminate_backend(a.pid)) FROM pg_stat_activity a
                        WHERE a.backend_xid = $1::xid8::xid AND s.status = 'in progress') AS ended
       FROM (SELECT pg_xact_status($1::xid8) AS status) s`,
    [xid],
  );
  return row?.status ?? null;
}

/** Ends a session of ours that nobody is at the other end of any more; `processId` is what the server called it. */
export async function endSession(dataSource: DataSource, processId: number): Promise<void> {
  await dataSource.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE pid = $1 AND usename = current_user AND datname = current_database()
        AND application_name = current_setting('application_name')`,
    [processId],
  );
}

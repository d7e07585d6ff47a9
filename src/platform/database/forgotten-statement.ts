import { databaseFault } from '../errors/database-error.js';

/**
 * The session does not know a prepared statement any more (a pooler gave us another one), or cannot use it, because a
 * migration of a newer version changed the type of a column. The connection is replaced; the same may succeed on another.
 */
export function hasForgotten(error: unknown): boolean {
  const fault = databaseFault(error);
  // "cached plan must not change result type" has no code of its own.
  return (
    fault?.sqlState === '26000' || (fault?.sqlState === '0A000' && fault.routine === 'RevalidateCachedQuery')
  );
}

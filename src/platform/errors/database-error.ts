/**
 * What is known of an error of Postgres, told by its shape: only repositories and platform/database import typeorm,
 * and PGlite's errors are of another class than those of pg. Its message, detail and parameters carry the input.
 */
export interface DatabaseFault {
  /** Five characters, e.g. `23505`; absent when the driver refused before the server answered. */
  sqlState?: string;
  constraint?: string;
  table?: string;
  routine?: string;
}

/** The classes of Postgres; EPIPE and other codes of the operating system are five letters too. */
const SQL_STATE = /^[0-9FHPX][0-9A-Z]{4}$/;
const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** The fault inside a TypeORM `QueryFailedError` or a `DatabaseError` of pg or PGlite; undefined for any other error. */
export function databaseFault(error: unknown): DatabaseFault | undefined {
  if (!(error instanceof Error)) return undefined;
  const outer = error as unknown as Record<string, unknown>;
  const wrapped = 'driverError' in outer;
  const inner = wrapped ? outer['driverError'] : outer;
  if (typeof inner !== 'object' || inner === null) return wrapped ? {} : undefined;
  const { code, severity, constraint, table, routine } = inner as Record<string, unknown>;
  const sqlState = typeof code === 'string' && SQL_STATE.test(code) ? code : undefined;
  if (!wrapped && (sqlState === undefined || typeof severity !== 'string')) return undefined;
  return { sqlState, constraint: text(constraint), table: text(table), routine: text(routine) };
}

/** SQLSTATE of an error, or undefined: `sqlStateOf(error) === '23505'`. */
export const sqlStateOf = (error: unknown): string | undefined => databaseFault(error)?.sqlState;

import { databaseFault } from '../errors/database-error.js';

/** An error as it may stand in a log: never its extra properties, which carry SQL parameters, rows and bodies. */
export interface LoggedError {
  type: string;
  message?: string;
  code?: string | number;
  constraint?: string;
  table?: string;
  routine?: string;
  /** The frames only: the first line repeats the message. */
  stack?: string;
  cause?: LoggedError;
}

const MOST_CAUSES = 3;

/** Messages of the database and of parsers quote the input (`invalid input syntax for type integer: "..."`), so they stay out. */
export function describeError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { type: error === null ? 'null' : typeof error };
  const fault = databaseFault(error);
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  const quotesInput = fault !== undefined || error instanceof SyntaxError || error instanceof URIError;
  return {
    type: error.name,
    ...(!quotesInput && { message: error.message }),
    ...(fault
      ? { code: fault.sqlState, constraint: fault.constraint, table: fault.table, routine: fault.routine }
      : { code: typeof code === 'string' || typeof code === 'number' ? code : undefined }),
    stack: framesOf(error.stack),
    ...(cause !== undefined && depth < MOST_CAUSES && { cause: describeError(cause, depth + 1) }),
  };
}

/** A stack without its head: `Error: message`, which may be several lines long. */
export function framesOf(stack: string | undefined): string | undefined {
  const frames = stack?.split('\n').filter((line) => /^\s+at /.test(line));
  return frames && frames.length > 0 ? frames.join('\n') : undefined;
}

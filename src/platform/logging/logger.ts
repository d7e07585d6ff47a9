import { pino, type DestinationStream, type LogFn, type Logger } from 'pino';
import { build as prettyStream } from 'pino-pretty';
import type { Config } from '../config/config.js';
import { describeError } from './describe-error.js';
import { redact } from './redact.js';

/** The process's log: JSON lines, or readable ones on a terminal. `destination` is for tests. */
export function createLogger(config: Pick<Config, 'log'>, destination?: DestinationStream): Logger {
  const { level, format } = config.log;
  const pretty = format === 'pretty' || (format === 'auto' && process.stdout.isTTY);
  const logger = pino(
    {
      level,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: redact },
      // `redact` has described it; pino's own would take the description for an error and describe that.
      serializers: { err: (described: unknown) => described },
      hooks: { logMethod: withSafeMessage },
    },
    // In this process and at once: the last line before a crash is the one that matters.
    destination ??
      (pretty ? prettyStream({ sync: true, ignore: 'pid,hostname' }) : pino.destination({ sync: true })),
  );
  redactBindings(logger);
  return logger;
}

/** pino takes the message of an error for the message of the line when none is given, and writes `%o` arguments into it. */
function withSafeMessage(this: Logger, args: Parameters<LogFn>, method: LogFn): void {
  const [first, message, ...rest] = args as [unknown, ...unknown[]];
  const fields = first instanceof Error ? { err: first } : first;
  const error = typeof fields === 'object' && fields !== null ? (fields as { err?: unknown }).err : undefined;
  const spare = error instanceof Error ? (describeError(error).message ?? error.name) : undefined;
  const safe = [message ?? spare, ...rest].map((part) =>
    typeof part === 'object' && part !== null ? redact(part) : part,
  );
  method.apply(this, [fields, ...safe] as Parameters<LogFn>);
}

/** pino's formatters do not see the bindings of child loggers. Children inherit this method. */
function redactBindings(logger: Logger): void {
  const child: unknown = Reflect.get(logger, 'child');
  Object.defineProperty(logger, 'child', {
    value(this: Logger, bindings: object, options?: object): unknown {
      return Reflect.apply(child as (...args: unknown[]) => unknown, this, [redact(bindings), options]);
    },
  });
}

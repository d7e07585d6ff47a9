import { inspect } from 'node:util';
import type { LoggerService } from '@nestjs/common';
import type { Level, Logger } from 'pino';
import { framesOf } from './describe-error.js';

/** Contexts in which Nest tells how it puts the application together: for its developers, not for operators. */
const ASSEMBLY = new Set([
  'NestFactory',
  'NestApplication',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'WebSocketsController',
]);

/**
 * Nest's logger on pino, for the framework and for `new Logger(Name)` in our classes.
 * Understands `error('What failed', error)` and `log({ field }, 'What happened')`.
 */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write(ASSEMBLY.has(String(rest.at(-1))) ? 'debug' : 'info', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    // A failed start is thrown as well, and told once, by `main`.
    this.write(rest.at(-1) === 'ExceptionHandler' ? 'debug' : 'error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  private write(level: Level, message: unknown, rest: unknown[]): void {
    if (!this.logger.isLevelEnabled(level)) return;
    const fields: Record<string, unknown> = {};
    const words: string[] = [];
    // Nest puts the context, the name of the class that logs, last.
    const context = rest.at(-1);
    const others = typeof context === 'string' && !isStack(context) ? rest.slice(0, -1) : rest;
    if (others.length < rest.length) fields['context'] = context;
    for (const part of [message, ...others]) {
      if (part instanceof Error) fields['err'] = part;
      else if (typeof part === 'object' && part !== null) Object.assign(fields, part);
      else if (typeof part === 'string' && isStack(part)) Object.assign(fields, fromStack(part));
      else if (part !== undefined) words.push(typeof part === 'string' ? part : inspect(part));
    }
    this.logger[level](fields, words.length > 0 ? words.join(' ') : undefined);
  }
}

const isStack = (text: string): boolean => /\n\s+at /.test(text);

/** A stack that was made text: its head may quote input, so all that is taken of it is an errno. */
function fromStack(stack: string): { stack: string | undefined; code: string | undefined } {
  return { stack: framesOf(stack), code: /\bE[A-Z]{4,}\b/.exec(stack)?.[0] };
}

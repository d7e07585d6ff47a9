import type { WireError } from '../../src/contract/errors.js';
import type { CommandsOf, NamespaceName } from '../../src/contract/namespaces.js';
import { ParleyError } from './errors.js';

export interface CommandOptions {
  /** Gives the answer up; a command that already left may still be carried out. */
  signal?: AbortSignal;
  /** Patience, the wait for a connection included. Default 15 s. */
  timeoutMs?: number;
}

type Command = { payload: unknown; result: unknown };
export type CommandName<N extends NamespaceName> = keyof CommandsOf[N] & string;
export type PayloadOf<N extends NamespaceName, C extends CommandName<N>> = (CommandsOf[N][C] &
  Command)['payload'];
export type ResultOf<N extends NamespaceName, C extends CommandName<N>> = (CommandsOf[N][C] &
  Command)['result'];

type Answer = { status: 'ok'; [field: string]: unknown } | { status: 'error'; error: WireError };
export type EmitCommand = (command: string, payload: unknown, ack: (answer: Answer) => void) => void;

interface Entry {
  command: string;
  payload: unknown;
  isRepeatable: boolean;
  /** A TOKEN_EXPIRED answer is met with a new token once. */
  renewed: boolean;
  resolve: (result: unknown) => void;
  reject: (error: ParleyError) => void;
}

/**
 * Repeated by themselves when their answer was lost: what changes nothing, and what means the same later, whatever has
 * happened meanwhile. What says "all there are", or sets what another device may have set since, is not among them;
 * nor is what is watched, because the presence part asks for all of it anew; nor are the acts of administrators,
 * which are for a person to repeat.
 */
const REPEATABLE: { readonly [N in NamespaceName]: readonly CommandName<N>[] } = {
  '/chat': [
    'room:join',
    'room:list',
    'room:members',
    'room:sync',
    'room:positions',
    'message:history',
    'message:read',
  ],
  '/presence': [],
  '/notifications': ['notification:list', 'notification:read', 'notification:archive', 'preference:get'],
  '/admin': ['connection:list'],
};

/** As `notification:read` has it: a later one includes what came meanwhile. */
const isOfAll = (payload: unknown): boolean =>
  typeof payload === 'object' && payload !== null && 'all' in payload;

/** Commands on their way in one namespace: they wait for it in order, and settle exactly once, whatever happens to the connection. */
export class CommandQueue<N extends NamespaceName> {
  private isOpen = false;
  private waiting: Entry[] = [];
  private readonly inFlight = new Set<Entry>();
  private readonly repeatable: ReadonlySet<string>;

  constructor(
    namespace: N,
    private readonly emit: EmitCommand,
    private readonly renewToken: () => Promise<void>,
    private readonly defaultTimeoutMs: number,
  ) {
    this.repeatable = new Set(REPEATABLE[namespace]);
  }

  send<C extends CommandName<N>>(
    command: C,
    payload: PayloadOf<N, C>,
    options: CommandOptions = {},
  ): Promise<ResultOf<N, C>> {
    return new Promise((resolve, reject) => {
      const { signal } = options;
      const timeoutMs = options.timeoutMs ?? this.defaultTimeoutMs;
      const settle = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.inFlight.delete(entry);
        this.waiting = this.waiting.filter((other) => other !== entry);
      };
      const entry: Entry = {
        command,
        payload,
        isRepeatable: this.repeatable.has(command) && !isOfAll(payload),
        renewed: command === 'auth:refresh',
        resolve: (result) => {
          settle();
          resolve(result as ResultOf<N, C>);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      const abort = () => {
        entry.reject(new ParleyError('ABORTED', `${command} was aborted`, { cause: signal?.reason }));
      };
      const timer = setTimeout(() => {
        entry.reject(new ParleyError('TIMEOUT', `${command} had no answer within ${String(timeoutMs)} ms`));
      }, timeoutMs);
      if (signal?.aborted === true) {
        abort();
        return;
      }
      signal?.addEventListener('abort', abort, { once: true });
      if (this.isOpen || command === 'auth:refresh') this.transmit(entry);
      else this.waiting.push(entry);
    });
  }

  /** The session is ready: what waited leaves in order. */
  open(): void {
    this.isOpen = true;
    for (const entry of this.waiting.splice(0)) this.transmit(entry);
  }

  /** New commands wait; answers to those under way may still come. */
  hold(): void {
    this.isOpen = false;
  }

  /** The connection is gone, and with it the answers. */
  lost(): void {
    this.isOpen = false;
    const interrupted = [...this.inFlight];
    this.inFlight.clear();
    this.waiting.unshift(...interrupted.filter(({ isRepeatable }) => isRepeatable));
    for (const entry of interrupted) {
      if (entry.isRepeatable) continue;
      entry.reject(
        new ParleyError('DISCONNECTED', `the connection was lost before ${entry.command} was answered`),
      );
    }
  }

  /** The namespace will not open: nothing leaves any more. */
  close(error: ParleyError): void {
    this.isOpen = false;
    for (const entry of [...this.inFlight, ...this.waiting]) entry.reject(error);
  }

  private transmit(entry: Entry): void {
    this.inFlight.add(entry);
    this.emit(entry.command, entry.payload, (answer) => {
      if (!this.inFlight.has(entry)) return;
      if (answer.status === 'ok') {
        const { status: _, ...result } = answer;
        entry.resolve(result);
      } else if (answer.error.code === 'TOKEN_EXPIRED' && !entry.renewed) this.again(entry, answer.error);
      else entry.reject(ParleyError.fromWire(answer.error));
    });
  }

  /** Refused for its token before anything was done: safe to repeat with a new one. */
  private again(entry: Entry, refusal: WireError): void {
    entry.renewed = true;
    this.renewToken().then(
      () => {
        if (!this.inFlight.has(entry)) return;
        if (this.isOpen) {
          this.transmit(entry);
          return;
        }
        this.inFlight.delete(entry);
        this.waiting.push(entry);
      },
      () => {
        entry.reject(ParleyError.fromWire(refusal));
      },
    );
  }
}

import { isObservable, lastValueFrom } from 'rxjs';
import { v7 as uuid } from 'uuid';
import { AppError } from '../errors/app-error.js';
import { toAppError } from '../errors/to-app-error.js';
import { runWithRequestId } from '../identity/request-context.js';
import { Command } from './command.js';
import type { RealtimeSocket } from './realtime-socket.js';

/** A gateway method behind Nest's guards, interceptor and pipes, as the adapter receives it. */
export type CommandHandler = (payload: unknown, command: Command) => Promise<unknown>;

/** What the dispatcher tells the rest of the server. */
export interface DispatcherHooks {
  /** A command no handler gets to see still counts against the connection's limit. */
  admitUnhandled(socket: RealtimeSocket): Promise<void>;
  started(socket: RealtimeSocket, event: string): void;
  answered(socket: RealtimeSocket, command: Command, result: 'ok' | AppError): void;
  defect(command: Command, error: unknown): void;
}

/** Commands of one socket that may wait behind a `room:*` command; more are refused at once. */
const MAX_WAITING = 1000;

interface Waiting {
  command: Command;
  payload: unknown;
  /** Or why there is none. */
  handler: CommandHandler | AppError;
}

/** The command a socket is admitting now. One at a time, so a handler that has just been called can ask for its own. */
const admitting = new WeakMap<RealtimeSocket, Command>();

/** Called first thing in a handler: the next command may enter. See `RealtimeGateway`. */
export function markAdmitted(socket: RealtimeSocket): void {
  admitting.get(socket)?.admit();
}

/** True when the client of the command being admitted waits for an acknowledgement. Ask before the first `await`. */
export function wantsAck(socket: RealtimeSocket): boolean {
  return admitting.get(socket)?.wantsAck ?? true;
}

/**
 * Receives the commands of one socket. They are admitted in the order they came (guard, throttle, validation,
 * entry into the handler) and then complete concurrently. A `room:*` command that changes something is a barrier for later commands
 * on the same room, so join-then-send works without waiting in between.
 */
export class CommandDispatcher {
  private readonly handlers = new Map<string, CommandHandler>();
  private readonly waiting: Waiting[] = [];
  /** Rooms with a `room:*` command under way, and what came for them since. */
  private readonly barriers = new Map<string, Waiting[]>();
  private held = 0;
  private busy = false;

  constructor(
    private readonly socket: RealtimeSocket,
    private readonly hooks: DispatcherHooks,
  ) {
    socket.onAny((event: string, ...args: unknown[]) => this.receive(event, args));
  }

  /** Several gateway classes may share a namespace; each adds its handlers. */
  add(event: string, handler: CommandHandler): void {
    this.handlers.set(event, handler);
  }

  private receive(event: string, args: unknown[]): void {
    const last = args.at(-1);
    const ack = typeof last === 'function' ? (args.pop() as (answer: unknown) => void) : undefined;
    const command = new Command(
      this.handlers.has(event) ? event : 'unknown',
      uuid(),
      ack,
      (error) => this.socket.emit('error', error),
      (answered, result) => this.hooks.answered(this.socket, answered, result),
    );
    this.hooks.started(this.socket, event);
    if (this.waiting.length + this.held >= MAX_WAITING) {
      command.fail(new AppError('RATE_LIMITED', 'Too many commands are waiting', { retryAfterMs: 1000 }));
      return;
    }
    this.waiting.push({ command, payload: args[0], handler: this.handlerOf(event, args) });
    if (!this.busy) void this.admitWaiting();
  }

  private handlerOf(event: string, args: unknown[]): CommandHandler | AppError {
    if (args.length > 1)
      return AppError.invalid('(arguments)', 'expected one payload and, last, an acknowledgement');
    return this.handlers.get(event) ?? new AppError('UNKNOWN_EVENT', 'There is no such command');
  }

  private async admitWaiting(): Promise<void> {
    this.busy = true;
    for (let next = this.waiting.shift(); next; next = this.waiting.shift()) {
      const { command, payload, handler } = next;
      const roomId = roomOf(payload);
      if (this.isHeld(roomId, next)) continue;
      admitting.set(this.socket, command);
      const done = this.run(command, payload, handler);
      if (roomId !== undefined && changesRoom(command.event)) this.raiseBarrier(roomId, done);
      await command.admitted;
    }
    this.busy = false;
  }

  /** Behind a barrier only what is for the same room waits, in its order. */
  private isHeld(roomId: string | undefined, command: Waiting): boolean {
    const held = roomId === undefined ? undefined : this.barriers.get(roomId);
    if (!held) return false;
    held.push(command);
    this.held += 1;
    return true;
  }

  private async run(command: Command, payload: unknown, handler: CommandHandler | AppError): Promise<void> {
    try {
      if (handler instanceof AppError) {
        await this.hooks.admitUnhandled(this.socket);
        throw handler;
      }
      const result = await runWithRequestId(command.requestId, async () => {
        const answer = await handler(payload, command);
        // Behind an interceptor the work begins when somebody subscribes: under the request id too.
        return isObservable(answer) ? lastValueFrom(answer, { defaultValue: undefined }) : answer;
      });
      // Nothing comes back when the exception filter has answered already; then this is ignored.
      command.succeed(result as object | undefined);
    } catch (error) {
      const refusal = toAppError(error);
      if (refusal.code === 'INTERNAL') this.hooks.defect(command, error);
      command.fail(refusal);
    }
  }

  private raiseBarrier(roomId: string, done: Promise<void>): void {
    const held: Waiting[] = [];
    this.barriers.set(roomId, held);
    void done.then(() => {
      this.barriers.delete(roomId);
      this.held -= held.length;
      // They came before whatever is waiting by now.
      this.waiting.unshift(...held);
      if (!this.busy) void this.admitWaiting();
    });
  }
}

/** `room:*` commands that change nothing hold up nobody. */
const READS = new Set(['room:sync', 'room:members']);

function changesRoom(event: string): boolean {
  return event.startsWith('room:') && !READS.has(event);
}

function roomOf(payload: unknown): string | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  const { roomId } = payload as { roomId?: unknown };
  return typeof roomId === 'string' ? roomId : undefined;
}

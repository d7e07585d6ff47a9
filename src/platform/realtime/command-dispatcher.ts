import { AppError } from '../errors/app-error.js';
import { toAppError } from '../errors/to-app-error.js';
import { runWithRequestId } from '../identity/request-context.js';
import { isPromise, type CompiledHandler } from './compiled-handler.js';
import { Command, type CommandOwner } from './command.js';
import type { RealtimeSocket } from './realtime-socket.js';

/** What the dispatcher tells the rest of the server. */
export interface DispatcherHooks {
  /** A command no handler gets to see still counts against the connection's limit. */
  admitUnhandled(socket: RealtimeSocket): void | Promise<void>;
  started(socket: RealtimeSocket, event: string): void;
  answered(command: Command, result: 'ok' | AppError): void;
  defect(command: Command, error: unknown): void;
}

/** Commands of one socket that may wait behind a `room:*` command; more are refused at once. */
const MAX_WAITING = 1000;

/**
 * Receives the commands of one socket. They are admitted in the order they came (guard, throttle, validation,
 * entry into the handler) and then complete concurrently. A `room:*` command that changes something is a barrier for later commands
 * on the same room, so join-then-send works without waiting in between. Most sockets are idle: what is not needed is not there.
 */
export class CommandDispatcher implements CommandOwner {
  private admitting: Command | undefined;
  private waiting: Command[] | undefined;
  /** Rooms with a `room:*` command under way, and what came for them since. */
  private barriers: Map<string, Command[]> | undefined;
  private held = 0;
  private isWorking = false;

  constructor(
    private readonly socket: RealtimeSocket,
    /** Of the namespace: its sockets share them. */
    private readonly handlers: ReadonlyMap<string, CompiledHandler>,
    private readonly hooks: DispatcherHooks,
  ) {}

  listen(): void {
    this.socket.onAny((event: string, ...args: unknown[]) => this.receive(event, args));
    // Nobody else listens. Socket.IO would go through its middlewares and, a tick later, its emitter for nothing.
    (this.socket as unknown as { dispatch: () => void }).dispatch = nothing;
  }

  private receive(event: string, args: unknown[]): void {
    const ack = typeof args.at(-1) === 'function' ? (args.pop() as (answer: unknown) => void) : undefined;
    const handler = this.handlers.get(event);
    const command = new Command(
      this.socket,
      handler ? event : 'unknown',
      args[0],
      args.length > 1 ? tooManyArguments() : (handler ?? unknownEvent()),
      ack,
      this,
    );
    this.hooks.started(this.socket, event);
    if (this.held + (this.waiting?.length ?? 0) >= MAX_WAITING) {
      command.fail(new AppError('RATE_LIMITED', 'Too many commands are waiting', { retryAfterMs: 1000 }));
      return;
    }
    if (this.admitting || this.waiting || this.barriers) {
      (this.waiting ??= []).push(command);
      this.admitWaiting();
    } else {
      this.admit(command);
    }
  }

  private admitWaiting(): void {
    if (this.isWorking) return;
    this.isWorking = true;
    try {
      while (!this.admitting) {
        const next = this.waiting?.shift();
        if (!next) break;
        if (!this.isHeld(next)) this.admit(next);
      }
    } finally {
      this.isWorking = false;
    }
    if (this.waiting?.length === 0) this.waiting = undefined;
  }

  /** Behind a barrier only what is for the same room waits, in its order. */
  private isHeld(command: Command): boolean {
    const roomId = this.barriers && roomOf(command.payload);
    const held = roomId === undefined ? undefined : this.barriers?.get(roomId);
    if (!held) return false;
    held.push(command);
    this.held += 1;
    return true;
  }

  private admit(command: Command): void {
    const { handler } = command;
    this.admitting = command;
    if (!(handler instanceof AppError) && handler.changesRoom) {
      const roomId = roomOf(command.payload);
      if (roomId !== undefined) (this.barriers ??= new Map<string, Command[]>()).set(roomId, []);
    }
    try {
      const outcome = runWithRequestId(command.id, run, command, this.hooks);
      if (isPromise(outcome))
        outcome.then(
          (result) => this.succeed(command, result),
          (error: unknown) => this.refuse(command, error),
        );
      else this.succeed(command, outcome);
    } catch (error) {
      this.refuse(command, error);
    }
  }

  entered(command: Command): void {
    if (this.admitting !== command) return;
    this.admitting = undefined;
    if (this.waiting) this.admitWaiting();
  }

  answered(command: Command, result: 'ok' | AppError): void {
    this.hooks.answered(command, result);
  }

  private succeed(command: Command, result: unknown): void {
    try {
      command.succeed(result as object | undefined);
      this.lowerBarrier(command);
    } catch (error) {
      this.refuse(command, error);
    }
  }

  private refuse(command: Command, error: unknown): void {
    const refusal = toAppError(error);
    if (refusal.code === 'INTERNAL') this.hooks.defect(command, error);
    command.fail(refusal);
    this.lowerBarrier(command);
    this.entered(command);
  }

  private lowerBarrier({ handler, payload }: Command): void {
    if (!this.barriers || handler instanceof AppError || !handler.changesRoom) return;
    const roomId = roomOf(payload);
    const held = roomId === undefined ? undefined : this.barriers.get(roomId);
    if (roomId === undefined || !held) return;
    this.barriers.delete(roomId);
    if (this.barriers.size === 0) this.barriers = undefined;
    if (held.length === 0) return;
    this.held -= held.length;
    // They came before whatever is waiting by now.
    (this.waiting ??= []).unshift(...held);
    this.admitWaiting();
  }
}

const nothing = (): void => undefined;

function run(command: Command, hooks: DispatcherHooks): unknown {
  const { handler, socket } = command;
  if (!(handler instanceof AppError)) return handler.run(command);
  const admission = hooks.admitUnhandled(socket);
  if (!admission) throw handler;
  return admission.then(() => Promise.reject(handler));
}

function tooManyArguments(): AppError {
  return AppError.invalid('(arguments)', 'expected one payload and, last, an acknowledgement');
}

function unknownEvent(): AppError {
  return new AppError('UNKNOWN_EVENT', 'There is no such command');
}

function roomOf(payload: unknown): string | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  const { roomId } = payload as { roomId?: unknown };
  return typeof roomId === 'string' ? roomId : undefined;
}

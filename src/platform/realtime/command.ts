import type { AppError } from '../errors/app-error.js';
import { RequestId } from '../identity/request-context.js';
import type { CompiledHandler } from './compiled-handler.js';
import type { RealtimeSocket } from './realtime-socket.js';

type AckFunction = (answer: unknown) => void;

/** Who admits the command, and hears what becomes of it. */
export interface CommandOwner {
  /** Its handler has been called: the next may enter. */
  entered(command: Command): void;
  answered(command: Command, result: 'ok' | AppError): void;
}

/**
 * One command of a client on its way through the server. It is answered exactly once: through the callback
 * when the client gave one, else only refusals are told, as event `error`.
 */
export class Command {
  readonly startedAt = performance.now();
  readonly id = new RequestId();
  private answered = false;

  constructor(
    readonly socket: RealtimeSocket,
    readonly event: string,
    readonly payload: unknown,
    /** Or why there is none. */
    readonly handler: CompiledHandler | AppError,
    private readonly ack: AckFunction | undefined,
    private readonly owner: CommandOwner,
  ) {}

  get wantsAck(): boolean {
    return this.ack !== undefined;
  }

  get requestId(): string {
    return this.id.value;
  }

  entered(): void {
    this.owner.entered(this);
  }

  succeed(result: object | undefined): void {
    if (!this.answer('ok')) return;
    this.ack?.({ status: 'ok', ...result });
  }

  fail(error: AppError): void {
    if (!this.answer(error)) return;
    const wire = error.toWire(this.requestId);
    if (this.ack) this.ack({ status: 'error', error: wire });
    else this.socket.emit('error', { ...wire, event: this.event });
  }

  private answer(result: 'ok' | AppError): boolean {
    if (this.answered) return false;
    this.answered = true;
    this.owner.answered(this, result);
    return true;
  }
}

import type { WireError } from '../../contract/errors.js';
import type { AppError } from '../errors/app-error.js';

type AckFunction = (answer: unknown) => void;

/**
 * One command of a client on its way through the server. It is answered exactly once: through the callback
 * when the client gave one, else only refusals are told, as event `error`.
 */
export class Command {
  readonly startedAt = performance.now();
  /** Resolves when the handler has been called, or the command was refused before: the next one may be admitted. */
  readonly admitted: Promise<void>;
  admit!: () => void;
  private answered = false;

  constructor(
    readonly event: string,
    readonly requestId: string,
    private readonly ack: AckFunction | undefined,
    private readonly reportError: (error: WireError & { event: string }) => void,
    private readonly onAnswer: (command: Command, result: 'ok' | AppError) => void,
  ) {
    this.admitted = new Promise((resolve) => {
      this.admit = resolve;
    });
  }

  get wantsAck(): boolean {
    return this.ack !== undefined;
  }

  succeed(result: object | undefined): void {
    if (!this.answer('ok')) return;
    this.ack?.({ status: 'ok', ...result });
  }

  fail(error: AppError): void {
    if (!this.answer(error)) return;
    const wire = error.toWire(this.requestId);
    if (this.ack) this.ack({ status: 'error', error: wire });
    else this.reportError({ ...wire, event: this.event });
  }

  private answer(result: 'ok' | AppError): boolean {
    this.admit();
    if (this.answered) return false;
    this.answered = true;
    this.onAnswer(this, result);
    return true;
  }
}

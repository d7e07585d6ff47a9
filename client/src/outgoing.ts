import type { SendMessage, SentMessage } from '../../src/contract/chat.js';
import type { Message } from '../../src/contract/views.js';
import { ParleyError } from './errors.js';
import { newMessageId } from './message-id.js';
import { jitter, obeying, sleep, type Timing } from './timing.js';

/** What may be given with a text. */
export type SendOptions = Omit<SendMessage, 'roomId' | 'content'>;

/** A message of this client that the room does not show yet. Immutable: each step is a new object. */
export interface OutgoingMessage extends SendMessage {
  clientMessageId: string;
  /** `sent`: acknowledged; it leaves this list when the room shows it. `failed`: `retry` or `discard` it. */
  state: 'pending' | 'sent' | 'failed';
  /** With `failed`. */
  error?: ParleyError;
  /** With `sent`. */
  result?: SentMessage;
  /** By this device's clock. */
  createdAt: string;
}

/** What the queue needs of the outside. */
export interface OutgoingWire {
  send: (message: SendMessage) => Promise<SentMessage>;
  whenReady: () => Promise<unknown>;
  timing: Timing;
}

interface Waiter {
  resolve: (sent: SentMessage) => void;
  reject: (error: ParleyError) => void;
}

/** Retries of a defect of the server (`INTERNAL`); what is known to pass is retried without end. */
const RETRIES_OF_DEFECTS = 4;

/**
 * The messages of one room on their way out, one at a time, so that they arrive in the order they were written,
 * whatever is retried. The id is made once: a retry of something that had arrived is answered with the first result.
 */
export class Outgoing {
  private list: readonly OutgoingMessage[] = [];
  private readonly waiters = new Map<string, Waiter>();
  private readonly queue: OutgoingMessage[] = [];
  private isRunning = false;
  /** Whether the room already shows this `seq`; set while the room is followed. */
  isShown: (seq: number) => boolean = () => true;
  onChange: () => void = () => undefined;

  constructor(
    private readonly roomId: string,
    private readonly wire: OutgoingWire,
  ) {}

  get messages(): readonly OutgoingMessage[] {
    return this.list;
  }

  send(content: string, options: SendOptions = {}): Promise<SentMessage> {
    const clientMessageId = options.clientMessageId ?? newMessageId();
    if (this.waiters.has(clientMessageId))
      return Promise.reject(
        new ParleyError('CONFLICT', `a message with the id ${clientMessageId} is on its way`),
      );
    const message: OutgoingMessage = {
      ...options,
      roomId: this.roomId,
      content,
      clientMessageId,
      state: 'pending',
      createdAt: new Date().toISOString(),
    };
    return this.enqueue(message);
  }

  /** Sends a failed message again, with the same id, after those that wait. */
  retry(clientMessageId: string): Promise<SentMessage> {
    const failed = this.list.find(
      (message) => message.clientMessageId === clientMessageId && message.state === 'failed',
    );
    if (failed === undefined)
      return Promise.reject(new ParleyError('NOT_FOUND', `no failed message with the id ${clientMessageId}`));
    const { error: _, ...message } = failed;
    return this.enqueue({ ...message, state: 'pending' });
  }

  /** Forgets a failed message. */
  discard(clientMessageId: string): void {
    this.replace(
      this.list.filter(
        (message) => message.clientMessageId !== clientMessageId || message.state !== 'failed',
      ),
    );
  }

  /** The room shows this message of ours: it is not outgoing any more. */
  shown(message: Message): void {
    if (message.clientMessageId === undefined) return;
    const shown = this.list.find((other) => other.clientMessageId === message.clientMessageId);
    if (shown !== undefined) this.replace(this.list.filter((other) => other !== shown));
  }

  /** Takes out what was acknowledged and has come to show meanwhile. */
  settle(): void {
    const left = this.list.filter(({ result }) => result === undefined || !this.isShown(result.seq));
    if (left.length < this.list.length) this.replace(left);
  }

  /** The client was closed: nothing leaves any more, not even what only waits for its retry. */
  giveUp(error: ParleyError): void {
    for (const message of this.queue.splice(0)) this.fail(message, error);
  }

  /** Another person uses the client. What is pending is theirs: what was before has been given up. */
  forget(): void {
    this.replace(this.list.filter(({ state }) => state === 'pending'));
  }

  private enqueue(message: OutgoingMessage): Promise<SentMessage> {
    const promise = new Promise<SentMessage>((resolve, reject) => {
      this.waiters.set(message.clientMessageId, { resolve, reject });
    });
    // A caller may look at the list instead of the promise: no unhandled rejection then.
    promise.catch(() => undefined);
    this.queue.push(message);
    this.replace([
      ...this.list.filter((other) => other.clientMessageId !== message.clientMessageId),
      message,
    ]);
    if (!this.isRunning) void this.run();
    return promise;
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    for (let next = this.queue[0]; next !== undefined; next = this.queue[0]) {
      const answer = await this.deliver(next).catch((error: unknown) => ParleyError.from(error));
      // Given up meanwhile: whoever sent it has been told.
      if (this.queue[0] !== next) continue;
      if (answer instanceof ParleyError) this.fail(next, answer);
      else this.succeed(next, answer);
      this.queue.shift();
    }
    this.isRunning = false;
  }

  private async deliver(message: OutgoingMessage): Promise<SentMessage> {
    const { state: _, createdAt: __, ...request } = message;
    for (let attempt = 0, defects = 0; ; attempt += 1) {
      await this.wire.whenReady();
      if (this.queue[0] !== message) throw new ParleyError('CLOSED', 'it was given up');
      try {
        return await this.wire.send(request);
      } catch (cause) {
        const error = ParleyError.from(cause);
        if (error.code === 'INTERNAL') defects += 1;
        if (!error.retryable || error.code === 'SLOW_MODE' || defects > RETRIES_OF_DEFECTS) throw error;
        if (error.code === 'DISCONNECTED') continue;
        const { timing } = this.wire;
        await sleep(
          error.retryAfterMs === undefined ? jitter(timing, attempt) : obeying(timing, error.retryAfterMs),
        );
      }
    }
  }

  private succeed(message: OutgoingMessage, result: SentMessage): void {
    const isShown = this.isShown(result.seq);
    this.step(message, isShown ? undefined : { ...message, state: 'sent', result });
    this.waiters.get(message.clientMessageId)?.resolve(result);
    this.waiters.delete(message.clientMessageId);
  }

  private fail(message: OutgoingMessage, error: ParleyError): void {
    this.step(message, { ...message, state: 'failed', error });
    this.waiters.get(message.clientMessageId)?.reject(error);
    this.waiters.delete(message.clientMessageId);
  }

  /** The room may have shown the message before its acknowledgement came: then there is nothing to replace. */
  private step(message: OutgoingMessage, next: OutgoingMessage | undefined): void {
    if (!this.list.includes(message)) return;
    this.replace(
      this.list.flatMap((other) => (other !== message ? [other] : next === undefined ? [] : [next])),
    );
  }

  private replace(list: readonly OutgoingMessage[]): void {
    this.list = list;
    this.onChange();
  }
}

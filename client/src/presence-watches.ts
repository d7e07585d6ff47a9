import { CONTRACT_LIMITS } from '../../src/contract/limits.js';
import type { Presence } from '../../src/contract/presence.js';
import { ParleyError } from './errors.js';
import type { NamespaceLink } from './namespace-link.js';
import { jitter, obeying, sleep } from './timing.js';

/** People somebody in this application wants to know of. */
export interface PresenceWatch {
  readonly userIds: readonly string[];
  /**
   * Resolves when the server has answered for all of them: those `get` knows nothing of then cannot be seen, or do not
   * exist. LIMIT_EXCEEDED (above 500 people in all), VALIDATION_FAILED, CLOSED: then the watch is over.
   */
  readonly ready: Promise<void>;
  /** Ends it; the people others still watch stay watched. Twice is fine. */
  stop(): void;
}

class Watch implements PresenceWatch {
  readonly ready: Promise<void>;
  /** Whom the server has not answered for yet. */
  readonly pending: Set<string>;
  resolve!: () => void;
  reject!: (error: ParleyError) => void;

  constructor(
    readonly userIds: readonly string[],
    readonly stop: () => void,
  ) {
    this.pending = new Set(userIds);
    this.ready = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // A caller may watch without waiting: no unhandled rejection then.
    this.ready.catch(() => undefined);
  }
}

/** Who is watched: counted over all callers, asked for in few commands, and asked for anew on every connection. */
export class PresenceWatches {
  private readonly watchers = new Map<string, Set<Watch>>();
  /** Whom this socket has asked for. */
  private readonly asked = new Set<string>();
  /** Of these, whom the server answered for; and whom it left out, so that it does not watch them. */
  private readonly answered = new Set<string>();
  private readonly leftOut = new Set<string>();
  /** Of the newest list that answers a watch. */
  private listedIds: ReadonlySet<string> = new Set();
  /** Grows with each connection, so that what belongs to an old one is recognised. */
  private epoch = 0;
  private isRunning = false;
  private isScheduled = false;

  /** `forget`: nobody watches them any more, or the server left them out. Called after each answer. */
  constructor(
    private readonly link: NamespaceLink<'/presence'>,
    private readonly forget: (userIds: string[]) => void,
  ) {
    link.connection.signals.on('state', ({ state }) => {
      if (state === 'closed') this.giveUp(link.connection.closedError());
    });
    link.onState(() => {
      this.reset();
      if (link.refusal !== undefined) this.giveUp(link.refusal);
    });
  }

  has(userId: string): boolean {
    return this.watchers.has(userId);
  }

  /** Whether the server has answered for everybody who is watched. */
  get isSettled(): boolean {
    return [...this.watchers.keys()].every((userId) => this.answered.has(userId));
  }

  add(userIds: readonly string[]): PresenceWatch {
    const watch = new Watch([...new Set(userIds)], () => {
      this.remove(watch);
    });
    const problem = this.problem(watch.userIds);
    if (problem !== undefined) {
      watch.reject(problem);
      return watch;
    }
    for (const userId of watch.userIds) {
      this.watchers.set(userId, (this.watchers.get(userId) ?? new Set()).add(watch));
      // Somebody who could not be seen before may share a room by this time.
      if (this.leftOut.delete(userId)) this.askAnew(userId);
      if (this.answered.has(userId)) watch.pending.delete(userId);
    }
    if (watch.pending.size === 0) watch.resolve();
    this.link.connection.start();
    this.link.use();
    this.schedule();
    return watch;
  }

  /** A list that answers a watch. Which one shows when that is acknowledged: the lists come in order, each before the answer. */
  listed(users: readonly Presence[]): void {
    this.listedIds = new Set(users.map(({ userId }) => userId));
  }

  /** The server watches them no longer. */
  removed(userIds: readonly string[]): void {
    for (const userId of userIds) if (this.asked.has(userId)) this.leftOut.add(userId);
  }

  /** A connection begins, on which nothing is asked for yet; or the old one is gone. */
  private reset(): void {
    this.asked.clear();
    this.answered.clear();
    this.leftOut.clear();
    this.listedIds = new Set();
    this.epoch += 1;
    this.schedule();
  }

  private problem(userIds: readonly string[]): ParleyError | undefined {
    const { connection } = this.link;
    if (connection.state === 'closed') return connection.closedError();
    if (userIds.some((userId) => userId.length === 0 || userId.length > CONTRACT_LIMITS.userIdLength))
      return new ParleyError('VALIDATION_FAILED', 'a user id is empty or too long');
    const added = userIds.filter((userId) => !this.has(userId)).length;
    return this.watchers.size + added > CONTRACT_LIMITS.watchedUsers
      ? new ParleyError(
          'LIMIT_EXCEEDED',
          `at most ${String(CONTRACT_LIMITS.watchedUsers)} people can be watched`,
        )
      : undefined;
  }

  private remove(watch: Watch): void {
    const alone = watch.userIds.filter((userId) => {
      const watches = this.watchers.get(userId);
      if (watches?.delete(watch) !== true || watches.size > 0) return false;
      return this.watchers.delete(userId);
    });
    watch.resolve();
    if (alone.length === 0) return;
    this.forget(alone);
    this.schedule();
  }

  private answer(userIds: readonly string[]): void {
    const missing = userIds.filter((userId) => !this.listedIds.has(userId));
    for (const userId of missing) this.leftOut.add(userId);
    for (const userId of userIds) {
      this.answered.add(userId);
      for (const watch of this.watchers.get(userId) ?? []) {
        watch.pending.delete(userId);
        if (watch.pending.size === 0) watch.resolve();
      }
    }
    this.forget(missing);
  }

  private askAnew(userId: string): void {
    this.asked.delete(userId);
    this.answered.delete(userId);
  }

  /** Callers of one moment, as the rows of a list that is drawn, share a command. */
  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    queueMicrotask(() => {
      this.isScheduled = false;
      if (!this.isRunning) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    for (let failures = 0; this.link.state === 'joined';) {
      const unwanted = [...this.asked].filter((userId) => !this.has(userId));
      const missing = [...this.watchers.keys()].filter((userId) => !this.asked.has(userId));
      if (unwanted.length === 0 && missing.length === 0) break;
      const error = unwanted.length > 0 ? await this.unask(unwanted) : await this.ask(missing);
      if (error === undefined) failures = 0;
      else await sleep(this.waitAfter(error, failures++));
    }
    this.isRunning = false;
  }

  /** A failure to be tried again. */
  private async unask(userIds: string[]): Promise<ParleyError | undefined> {
    for (const userId of userIds) {
      this.askAnew(userId);
      this.leftOut.delete(userId);
    }
    try {
      await this.link.send('presence:unwatch', { userIds });
      return undefined;
    } catch (cause) {
      const error = ParleyError.from(cause);
      if (!error.retryable || error.code === 'DISCONNECTED') return undefined;
      for (const userId of userIds) this.asked.add(userId);
      return error;
    }
  }

  private async ask(userIds: string[]): Promise<ParleyError | undefined> {
    const { epoch } = this;
    for (const userId of userIds) this.asked.add(userId);
    try {
      await this.link.send('presence:watch', { userIds });
      if (epoch === this.epoch) this.answer(userIds);
      return undefined;
    } catch (cause) {
      const error = ParleyError.from(cause);
      // Of a connection that is over: the next one asks for everybody.
      if (epoch !== this.epoch) return undefined;
      for (const userId of userIds) this.askAnew(userId);
      if (error.retryable) return error;
      this.refuse(userIds, error);
      return undefined;
    }
  }

  private refuse(userIds: Iterable<string>, error: ParleyError): void {
    for (const userId of [...userIds])
      for (const watch of [...(this.watchers.get(userId) ?? [])]) end(watch, error);
  }

  /** There will be no answer: those who wait for one wait no longer. What was answered before is kept for the next connection. */
  private giveUp(error: ParleyError): void {
    for (const watch of new Set([...this.watchers.values()].flatMap((watches) => [...watches])))
      if (watch.pending.size > 0) end(watch, error);
  }

  private waitAfter(error: ParleyError, failures: number): number {
    const { timing } = this.link.connection.options;
    return error.retryAfterMs === undefined ? jitter(timing, failures) : obeying(timing, error.retryAfterMs);
  }
}

function end(watch: Watch, error: ParleyError): void {
  watch.reject(error);
  watch.stop();
}

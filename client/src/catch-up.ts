import type { ChatCommand, ChatCommands, JoinedRoom } from '../../src/contract/chat.js';
import type { Message, SyncPage } from '../../src/contract/views.js';
import type { CommandOptions } from './command-queue.js';
import { ParleyError, saysNotInRoom } from './errors.js';
import type { Delivery, RoomLog } from './room-log.js';
import { jitter, obeying, sleep, type Timing } from './timing.js';

/** What a room handle needs of the client. */
export interface RoomWire {
  send: <K extends ChatCommand>(
    command: K,
    payload: ChatCommands[K]['payload'],
    options?: CommandOptions,
  ) => Promise<ChatCommands[K]['result']>;
  /** Resolves while connected; rejects with CLOSED. */
  whenReady: () => Promise<unknown>;
  userId: () => string | undefined;
  timing: Timing;
}

/** What a catch-up tells the room handle. */
export interface CatchUpListener {
  delivered: (deliveries: Delivery[]) => void;
  joined: (room: JoinedRoom) => void;
  /** The log was begun afresh: what was between is unknown. */
  reset: () => void;
  /** The room is not the user's any more. */
  lost: (reason: 'banned' | 'unknown') => void;
}

/** The pages of one catch-up so far. */
interface Fetched {
  messages: Message[];
  /** The next `since`. */
  rev: number;
  pages: number;
}

/**
 * More than this is not told change by change: 20,000 messages at most in memory, and a small part of the commands a
 * connection has for a minute.
 */
const MAX_PAGES = 40;

/** Keeps the log of one room complete: fetches what did not come by itself, one fetch at a time, until nothing is missing. */
export class CatchUp {
  private isRunning = false;
  private isStopped = false;
  private mustRejoin = false;
  /**
   * Kept while a page fails, so that its retry goes on where it was. Applied all at once: an edited message comes on a
   * later page than its `seq` says, so single pages would not give new messages in `seq` order.
   */
  private fetched?: Fetched;
  private timer?: ReturnType<typeof setTimeout>;

  constructor(
    private readonly roomId: string,
    private readonly log: RoomLog,
    private readonly wire: RoomWire,
    private readonly listener: CatchUpListener,
  ) {}

  get isBusy(): boolean {
    return this.isRunning;
  }

  /** Events in between may be on their way on another road: they get a short grace. */
  check(): void {
    if (!this.log.isBehind || this.isRunning || this.isStopped || this.timer !== undefined) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.log.isBehind) void this.run();
    }, this.wire.timing.holeGraceMs);
  }

  /** The log was begun by a join. */
  start(): void {
    this.isStopped = false;
    this.check();
  }

  /** After the connection was lost: subscribes again and reads what was missed. */
  rejoin(): void {
    this.isStopped = false;
    this.mustRejoin = true;
    void this.run();
  }

  /** The room is not followed any more: what is fetched and wanted is forgotten, a new join begins at its own `rev`. */
  stop(): void {
    this.isStopped = true;
    this.mustRejoin = false;
    this.fetched = undefined;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private async run(): Promise<void> {
    if (this.isRunning) return;
    this.isRunning = true;
    for (let failures = 0; this.hasWork(); failures += 1) {
      if (failures > 0) await sleep(jitter(this.wire.timing, failures - 1));
      try {
        await this.wire.whenReady();
        if (this.hasWork()) await this.once();
      } catch (cause) {
        const error = ParleyError.from(cause);
        // The answer to somebody who left does not concern the one who joins again.
        if (error.code === 'CLOSED' || this.isStopped) break;
        if (saysNotInRoom(error)) this.listener.lost(error.code === 'BANNED' ? 'banned' : 'unknown');
        else if (error.retryAfterMs !== undefined) await sleep(obeying(this.wire.timing, error.retryAfterMs));
      }
    }
    this.isRunning = false;
  }

  private hasWork(): boolean {
    return !this.isStopped && (this.mustRejoin || this.fetched !== undefined || this.log.isBehind);
  }

  private async once(): Promise<void> {
    const fetched = (this.fetched ??= { messages: [], rev: this.log.rev, pages: 0 });
    for (let hasMore = true; hasMore;) {
      if (fetched.pages >= MAX_PAGES) return this.reset(fetched);
      const page = await this.nextPage(fetched.rev);
      if (this.fetched !== fetched) return;
      if (page.reset === true) return this.reset(fetched);
      fetched.messages.push(...page.messages);
      fetched.rev = page.rev;
      fetched.pages += 1;
      hasMore = page.hasMore;
    }
    this.fetched = undefined;
    this.listener.delivered(this.log.applySync(fetched.messages, fetched.rev));
  }

  private nextPage(since: number): Promise<SyncPage> {
    return this.mustRejoin
      ? this.joinAgain(since)
      : this.wire.send('room:sync', { roomId: this.roomId, since });
  }

  private async joinAgain(since: number): Promise<SyncPage> {
    const joined = await this.wire.send('room:join', { roomId: this.roomId, since });
    this.mustRejoin = false;
    // Behind until all pages are there, whatever happens to the next one.
    this.log.heard(joined.room.rev);
    this.listener.joined(joined);
    return joined.sync ?? { messages: [], rev: since, hasMore: false, reset: true };
  }

  private async reset(fetched: Fetched): Promise<void> {
    const joined = await this.wire.send('room:join', { roomId: this.roomId });
    if (this.fetched !== fetched) return;
    this.fetched = undefined;
    startLog(this.log, joined);
    this.listener.joined(joined);
    this.listener.reset();
    this.listener.delivered(this.log.release());
  }
}

/** The log of a room from what a join answers. */
export function startLog(log: RoomLog, { room, history }: JoinedRoom): void {
  log.start({
    rev: room.rev,
    lastSeq: room.lastSeq,
    messages: history?.messages ?? [],
    hasMore: history?.hasMore ?? true,
    excerpts: room.history === 'full',
  });
}

import type { ChatCommand, ChatCommands, JoinedRoom } from '../../src/contract/commands.js';
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
  lost: () => void;
}

/** Keeps the log of one room complete: fetches what did not come by itself, one fetch at a time, until nothing is missing. */
export class CatchUp {
  private isRunning = false;
  private isStopped = false;
  private mustRejoin = false;
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

  /** After the connection was lost: subscribes again and reads what was missed. */
  rejoin(): void {
    this.isStopped = false;
    this.mustRejoin = true;
    void this.run();
  }

  stop(): void {
    this.isStopped = true;
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
        if (error.code === 'CLOSED') break;
        if (saysNotInRoom(error)) this.listener.lost();
        else if (error.retryAfterMs !== undefined) await sleep(obeying(this.wire.timing, error.retryAfterMs));
      }
    }
    this.isRunning = false;
  }

  private hasWork(): boolean {
    return !this.isStopped && (this.mustRejoin || this.log.isBehind);
  }

  private async once(): Promise<void> {
    const messages: Message[] = [];
    let page: SyncPage;
    if (this.mustRejoin) page = await this.joinAgain();
    else page = await this.wire.send('room:sync', { roomId: this.roomId, since: this.log.rev });
    for (;;) {
      if (page.reset === true) return this.reset();
      messages.push(...page.messages);
      if (!page.hasMore) break;
      page = await this.wire.send('room:sync', { roomId: this.roomId, since: page.rev });
    }
    if (this.isStopped) return;
    this.listener.delivered(this.log.applySync(messages, page.rev));
  }

  private async joinAgain(): Promise<SyncPage> {
    const joined = await this.wire.send('room:join', { roomId: this.roomId, since: this.log.rev });
    this.mustRejoin = false;
    this.listener.joined(joined);
    return joined.sync ?? { messages: [], rev: this.log.rev, hasMore: false, reset: true };
  }

  private async reset(): Promise<void> {
    const joined = await this.wire.send('room:join', { roomId: this.roomId });
    if (this.isStopped) return;
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

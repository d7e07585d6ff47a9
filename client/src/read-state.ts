import { CONTRACT_LIMITS } from '../../src/contract/limits.js';
import type { Message, ReadState } from '../../src/contract/views.js';
import type { RoomLog } from './room-log.js';

const capped = (count: number): number => Math.min(count, CONTRACT_LIMITS.unreadExact + 1);

/**
 * The read state of one room between two of the server's: the server does not send one for each message,
 * so what came since is derived from the log. Nothing is counted up: the same log gives the same answer.
 */
export class ReadStateView {
  private absolute?: ReadState;
  /** The newest `seq` the absolute state can be taken to include. */
  private includes = 0;
  private cached?: { messages: readonly Message[]; state: ReadState };

  constructor(
    private readonly log: RoomLog,
    private readonly userId: () => string | undefined,
  ) {}

  /** Takes an absolute state; an older version changes nothing, except that a new membership begins anew. */
  apply(state: ReadState, isJoin = false): void {
    if (!isJoin && this.absolute !== undefined && state.version < this.absolute.version) return;
    this.absolute = state;
    this.includes = this.log.lastSeq;
    this.cached = undefined;
  }

  get current(): ReadState | undefined {
    const base = this.absolute;
    if (base === undefined) return undefined;
    const messages = this.log.messages();
    if (this.cached?.messages === messages) return this.cached.state;
    const me = this.userId();
    const lastOwn = messages.findLast((message) => message.sender.id === me)?.seq ?? 0;
    const lastReadSeq = Math.max(base.lastReadSeq, lastOwn);
    const isWhole = this.log.covers(lastReadSeq + 1);
    const from = isWhole ? lastReadSeq : Math.max(this.includes, lastReadSeq);
    const waiting = messages.filter(
      (message) => message.seq > from && message.sender.id !== me && message.deletedAt === undefined,
    );
    const mentioning = waiting.filter((message) =>
      message.mentions.some((id) => id === me || id === '@room'),
    );
    const state = {
      ...base,
      lastReadSeq,
      unread: capped(waiting.length + (isWhole ? 0 : base.unread)),
      mentions: capped(mentioning.length + (isWhole ? 0 : base.mentions)),
    };
    this.cached = { messages, state };
    return state;
  }
}

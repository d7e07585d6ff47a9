import type { ChatEvents } from '../../src/contract/chat.js';

export interface Typist {
  userId: string;
  username: string;
  threadId?: string;
}

/** Above the server's 2 s, below its expiry of 5 s. */
const REPEAT_MS = 2500;
/** The server ends typing after 5 s by itself; this only covers an end that was lost. */
const FORGET_MS = 8000;

/** Says that we type, not more often than the server wants to hear it. */
export class OwnTyping {
  private readonly startedAt = new Map<string, number>();

  /** `send` is best effort: nothing waits for it, nothing is told when it fails. */
  constructor(private readonly send: (isTyping: boolean, threadId: string | undefined) => void) {}

  set(isTyping: boolean, threadId?: string): void {
    const key = threadId ?? '';
    const last = this.startedAt.get(key) ?? 0;
    if (isTyping) {
      if (Date.now() - last < REPEAT_MS) return;
      this.startedAt.set(key, Date.now());
      this.send(true, threadId);
    } else if (this.startedAt.delete(key) && Date.now() - last < FORGET_MS) this.send(false, threadId);
  }

  /** A message ends typing for everybody without a word of ours. */
  sent(threadId?: string): void {
    this.startedAt.delete(threadId ?? '');
  }
}

/** Who types in a room right now. */
export class Typists {
  private list: readonly Typist[] = [];
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(private readonly onChange: () => void) {}

  get current(): readonly Typist[] {
    return this.list;
  }

  apply({ userId, username, threadId, isTyping }: ChatEvents['typing:update']): void {
    this.remove(userId, threadId);
    if (isTyping) {
      this.list = [
        ...this.list,
        threadId === undefined ? { userId, username } : { userId, username, threadId },
      ];
      this.timers.set(
        `${userId} ${threadId ?? ''}`,
        setTimeout(() => {
          this.remove(userId, threadId);
          this.onChange();
        }, FORGET_MS),
      );
    }
    this.onChange();
  }

  clear(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
    this.list = [];
  }

  private remove(userId: string, threadId: string | undefined): void {
    const key = `${userId} ${threadId ?? ''}`;
    clearTimeout(this.timers.get(key));
    this.timers.delete(key);
    this.list = this.list.filter((typist) => typist.userId !== userId || typist.threadId !== threadId);
  }
}

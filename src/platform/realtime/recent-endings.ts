import type { ClosingCode } from '../../contract/errors.js';

/** Longer than any handshake takes. */
const REMEMBERED_MS = 60_000;

/**
 * The sessions and users whose sockets were closed lately. A handshake may read an identity just before it ends and
 * register its socket just after, and so may a renewal: the close cannot find it, so the socket asks here.
 */
export class RecentEndings {
  /** By channel, the oldest first. */
  private readonly endings = new Map<string, { at: number; code: ClosingCode }>();

  add(channel: string, code: ClosingCode): void {
    const now = Date.now();
    this.endings.delete(channel);
    this.endings.set(channel, { at: now, code });
    for (const [old, { at }] of this.endings) {
      if (at > now - REMEMBERED_MS) return;
      this.endings.delete(old);
    }
  }

  /** It is not ended any more. */
  remove(channel: string): void {
    this.endings.delete(channel);
  }

  /** Why one of the channels ended at `time` or later, in ms since the epoch. */
  since(time: number, channels: readonly string[]): ClosingCode | undefined {
    for (const channel of channels) {
      const ending = this.endings.get(channel);
      if (ending && ending.at >= time) return ending.code;
    }
    return undefined;
  }
}

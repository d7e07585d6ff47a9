/** More than that in a row are not counted one by one. */
const MOST_HOLES = 1000;

/** How far the sockets of this node were told of a room: up to `rev`, but for the holes below it. */
export class FeedPosition {
  private readonly holes = new Set<number>();
  /** A hole of more than can be counted: both ends are in it. */
  private gap: { from: number; to: number } | undefined;
  private rev: number;

  /** `start` is the head of the room when its first socket came. What is older is in what that socket reads. */
  constructor(private readonly start: number) {
    this.rev = start;
  }

  /** Whether they have yet to be told of it; from here on they have been. */
  take(rev: number): boolean {
    // It was on its way when this began: some may need it, and nobody was told twice by us.
    if (rev <= this.start || this.isInGap(rev)) return true;
    if (rev <= this.rev) return this.holes.delete(rev);
    const from = this.rev + 1;
    if (rev - from > MOST_HOLES) this.gap = { from: this.gap?.from ?? from, to: rev - 1 };
    else for (let hole = from; hole < rev; hole += 1) this.holes.add(hole);
    this.rev = rev;
    return true;
  }

  has(rev: number): boolean {
    return rev <= this.rev && !this.holes.has(rev) && !this.isInGap(rev);
  }

  get hasHoles(): boolean {
    return this.holes.size > 0 || this.gap !== undefined;
  }

  /** Everything up to here was told. */
  get complete(): number {
    let first = Math.min(this.rev + 1, this.gap?.from ?? Infinity);
    for (const hole of this.holes) first = Math.min(first, hole);
    return first - 1;
  }

  /** Everything up to here was read and told as it is now: what is missing still is no more. */
  read(head: number): void {
    for (const hole of this.holes) if (hole <= head) this.holes.delete(hole);
    if (this.gap && this.gap.to <= head) this.gap = undefined;
    this.rev = Math.max(this.rev, head);
  }

  private isInGap(rev: number): boolean {
    return this.gap !== undefined && rev >= this.gap.from && rev <= this.gap.to;
  }
}

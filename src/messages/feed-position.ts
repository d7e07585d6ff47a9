/** More holes than that are not counted one by one: everything from the first of them on is read. */
const MOST_HOLES = 1000;

/** How far the sockets of this node were told of a room: up to `rev`, but for the holes below it. */
export class FeedPosition {
  private readonly holes = new Set<number>();
  private rev: number;

  /** `start` is the head of the room when its first socket came. What is older is in what that socket reads. */
  constructor(private readonly start: number) {
    this.rev = start;
  }

  /** Whether they have yet to be told of it; from here on they have been. */
  take(rev: number): boolean {
    // It was on its way when this began: some may need it, and nobody was told twice by us.
    if (rev <= this.start) return true;
    if (rev <= this.rev) return this.holes.delete(rev);
    for (let hole = Math.max(this.rev + 1, rev - MOST_HOLES); hole < rev; hole += 1) this.holes.add(hole);
    this.rev = rev;
    return true;
  }

  has(rev: number): boolean {
    return rev <= this.rev && !this.holes.has(rev);
  }

  get hasHoles(): boolean {
    return this.holes.size > 0;
  }

  /** Everything up to here was told. */
  get complete(): number {
    let first = this.rev + 1;
    for (const hole of this.holes) first = Math.min(first, hole);
    return first - 1;
  }

  /** Everything up to here was read and told as it is now: what is missing still is no more. */
  read(head: number): void {
    for (const hole of this.holes) if (hole <= head) this.holes.delete(hole);
    this.rev = Math.max(this.rev, head);
  }
}

/** Runs tasks one at a time for each room, in the order they came. Keeps nothing of rooms that have none. */
export class OnePerRoom {
  /** The last task of each room; never rejects. */
  private readonly tails = new Map<string, Promise<void>>();

  run<T>(roomId: string, task: () => Promise<T>): Promise<T> {
    const done = (this.tails.get(roomId) ?? Promise.resolve()).then(task);
    const end = (): void => {
      if (this.tails.get(roomId) === tail) this.tails.delete(roomId);
    };
    const tail = done.then(end, end);
    this.tails.set(roomId, tail);
    return done;
  }

  /** Rooms with tasks. */
  get size(): number {
    return this.tails.size;
  }
}

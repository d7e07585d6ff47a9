/** Takes one listener off again; calling it twice is fine. */
export type Unsubscribe = () => void;

type Listener<P> = (payload: P) => void;

/**
 * An emitter typed by a map of event name to payload.
 * A listener that throws does not keep the others, nor the library, from going on: its error surfaces on its own.
 */
export class TypedEmitter<Events extends object> {
  private readonly listeners: { [K in keyof Events]?: Set<Listener<Events[K]>> } = {};

  on<K extends keyof Events>(event: K, listener: Listener<Events[K]>): Unsubscribe {
    // Wrapped, so that the same function may be registered twice and each registration ends by itself.
    const entry: Listener<Events[K]> = (payload) => {
      listener(payload);
    };
    const entries: Set<Listener<Events[K]>> = this.listeners[event] ?? new Set();
    this.listeners[event] = entries;
    entries.add(entry);
    return () => {
      entries.delete(entry);
    };
  }

  emit<K extends keyof Events>(event: K, payload: Events[K]): void {
    for (const listener of [...(this.listeners[event] ?? [])]) {
      try {
        listener(payload);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

/** Every event one socket was sent, from connect on. Waits have deadlines and show the inbox when they fail. */
export interface Received {
  event: string;
  payload: unknown;
}

const DEADLINE_MS = 8000;

export class Inbox {
  readonly events: Received[] = [];
  private readonly waiting = new Set<() => void>();

  record(event: string, payload: unknown): void {
    this.events.push({ event, payload });
    for (const check of [...this.waiting]) check();
  }

  all<T = unknown>(event: string): T[] {
    return this.events.filter((received) => received.event === event).map(({ payload }) => payload as T);
  }

  /** The first event of this name whose payload has these fields, in the past or within the deadline. */
  async find<T>(event: string, fields: object = {}): Promise<T> {
    const found = () =>
      this.events.find((received) => received.event === event && matches(received.payload, fields));
    await this.until(() => found() !== undefined, `${event} with ${JSON.stringify(fields)}`);
    return found()?.payload as T;
  }

  until(holds: () => boolean, what: string, deadlineMs = DEADLINE_MS): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const check = () => {
        if (holds()) finish(resolve);
      };
      const timer = setTimeout(() => {
        const seen = this.events
          .map(({ event, payload }) => `  ${event} ${JSON.stringify(payload).slice(0, 200)}`)
          .join('\n');
        finish(() => reject(new Error(`Waited for ${what}; the inbox has:\n${seen}`)));
      }, deadlineMs);
      const finish = (end: () => void) => {
        clearTimeout(timer);
        this.waiting.delete(check);
        end();
      };
      this.waiting.add(check);
    });
  }
}

function matches(payload: unknown, fields: object): boolean {
  if (typeof payload !== 'object' || payload === null) return false;
  return Object.entries(fields).every(([key, value]) => {
    const actual = (payload as Record<string, unknown>)[key];
    return typeof value === 'object' && value !== null ? matches(actual, value) : actual === value;
  });
}

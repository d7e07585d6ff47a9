import { Injectable } from '@nestjs/common';

/** Commands and requests that wait for their answer. A drain waits for them before it closes anything. */
@Injectable()
export class WorkInFlight {
  private count = 0;
  private onIdle: (() => void) | undefined;

  started(): void {
    this.count += 1;
  }

  ended(): void {
    this.count -= 1;
    if (this.count === 0) this.onIdle?.();
  }

  /** Resolves when nothing is in flight, at the latest after that time. */
  idle(atMostMs: number): Promise<void> {
    if (this.count === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, atMostMs);
      this.onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Counts every HTTP request from its first byte until its answer is out or the client has gone. */
export function requestsInFlight(work: WorkInFlight) {
  return (_request: unknown, response: NodeJS.EventEmitter, next: () => void): void => {
    work.started();
    response.once('close', () => work.ended());
    next();
  };
}

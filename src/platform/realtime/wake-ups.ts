import type { RealtimeSocket } from './realtime-socket.js';

const STEP_MS = 250;

/**
 * Wakes sockets at times of the wall clock: never early, and late by a step at most. One timer for all, because one for each
 * is 0.6 kB of an idle connection.
 */
export class WakeUps {
  /** By the number of the step since the epoch. */
  private readonly due = new Map<number, Set<RealtimeSocket>>();
  private readonly stepOf = new Map<RealtimeSocket, number>();
  private timer: NodeJS.Timeout | undefined;
  private last = 0;

  constructor(private readonly wake: (socket: RealtimeSocket) => void) {}

  /** Replaces the time the socket was waiting for. */
  set(socket: RealtimeSocket, time: number): void {
    this.delete(socket);
    this.start();
    const step = Math.max(Math.ceil(time / STEP_MS), this.last + 1);
    this.stepOf.set(socket, step);
    const sockets = this.due.get(step);
    if (sockets) sockets.add(socket);
    else this.due.set(step, new Set([socket]));
  }

  delete(socket: RealtimeSocket): void {
    const step = this.stepOf.get(socket);
    if (step === undefined) return;
    this.stepOf.delete(socket);
    const sockets = this.due.get(step);
    sockets?.delete(socket);
    if (sockets?.size === 0) this.due.delete(step);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private start(): void {
    if (this.timer) return;
    this.last = Math.floor(Date.now() / STEP_MS);
    this.timer = setInterval(() => this.tick(), STEP_MS).unref();
  }

  private tick(): void {
    const now = Math.floor(Date.now() / STEP_MS);
    const passed = this.passed(now);
    // First: whoever is woken may ask to be woken again.
    this.last = now;
    for (const step of passed) for (const socket of this.due.get(step) ?? []) this.wakeUp(socket);
  }

  /** A clock that was put forward must not be followed step by step; one that was put back makes everybody wait. */
  private passed(now: number): number[] {
    if (now - this.last > this.due.size) return [...this.due.keys()].filter((step) => step <= now);
    return Array.from({ length: Math.max(0, now - this.last) }, (_, index) => this.last + 1 + index);
  }

  private wakeUp(socket: RealtimeSocket): void {
    this.delete(socket);
    this.wake(socket);
  }
}

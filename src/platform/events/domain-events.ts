import { Injectable, Logger } from '@nestjs/common';

type EventClass<E extends object> = abstract new (...args: never[]) => E;

/**
 * Facts in the past tense, from a lower feature to whoever listens, inside one process.
 * `UnitOfWork` hands them out after COMMIT, in the order they were raised; a listener runs to its first
 * `await` before the next one. They are hints: what must survive a crash is an outbox row instead.
 */
@Injectable()
export class DomainEvents {
  private readonly logger = new Logger(DomainEvents.name);
  private readonly listeners = new Map<unknown, ((event: object) => void | Promise<void>)[]>();

  on<E extends object>(type: EventClass<E>, listener: (event: E) => void | Promise<void>): void {
    const known = this.listeners.get(type) ?? [];
    known.push(listener as (event: object) => void | Promise<void>);
    this.listeners.set(type, known);
  }

  /** A failing listener is logged and spoils nothing: the fact is committed already. */
  publish(event: object): void {
    for (const listener of this.listeners.get(event.constructor) ?? []) {
      try {
        const running = listener(event);
        if (running instanceof Promise) running.catch((error: unknown) => this.failed(event, error));
      } catch (error) {
        this.failed(event, error);
      }
    }
  }

  private failed(event: object, error: unknown): void {
    this.logger.error(`A listener of ${event.constructor.name} failed`, error);
  }
}

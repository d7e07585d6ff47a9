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
  private readonly running = new Set<Promise<void>>();
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
        if (running instanceof Promise) this.follow(event, running);
      } catch (error) {
        this.failed(event, error);
      }
    }
  }

  /** Resolves when no listener is at work: what they still read, the database is needed for. */
  async settled(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
  }

  private follow(event: object, running: Promise<void>): void {
    const followed = running
      .catch((error: unknown) => this.failed(event, error))
      .finally(() => this.running.delete(followed));
    this.running.add(followed);
  }

  private failed(event: object, error: unknown): void {
    this.logger.error(`A listener of ${event.constructor.name} failed`, error);
  }
}

import { AsyncResource } from 'node:async_hooks';
import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import type { Statement } from '../database/pipelined-transaction.js';
import { UnitOfWork, type Transaction } from '../database/unit-of-work.js';
import { DomainEvents } from '../events/domain-events.js';
import { Metrics } from '../metrics/metrics.js';
import { OutboxAppended } from './outbox.events.js';
import type { OutboxFact, OutboxTopic } from './outbox-topic.js';
import { insertFacts, OutboxRepository, type DeadRow } from './outbox.repository.js';
import { TopicDrain, type OutboxHandler } from './topic-drain.js';

/** What other nodes have left, what was put off, and what a crash left behind is found this much later at most. */
const LOOK_MS = 2000;
const DEAD_PAGE = 100;

/**
 * Facts that must not be lost between a lower feature and a higher one. They are rows, written in the transaction that
 * made them true; any node hands them to the topic's consumer, which deletes them in the transaction of what it writes:
 * each is handled exactly once. Rows of a topic come in the order of their ids as far as they are committed; with
 * several nodes, and after a failure, a later one may come first.
 */
@Injectable()
export class Outbox implements OnModuleInit, OnApplicationBootstrap {
  private readonly logger = new Logger(Outbox.name);
  private readonly drains = new Map<string, TopicDrain>();
  /** Not in the context of whoever appended: what a consumer does is not part of that request. */
  private readonly ownContext = new AsyncResource('Outbox');
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private unreachable = false;
  private stopped = false;

  constructor(
    private readonly rows: OutboxRepository,
    private readonly unitOfWork: UnitOfWork,
    private readonly events: DomainEvents,
    private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    this.events.on(OutboxAppended, ({ topic }) => this.wake(topic));
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.look(), LOOK_MS);
    this.look();
  }

  /** Part of the transaction: gone with it, and handed on soon after its COMMIT. */
  async append<P extends object>(
    tx: Transaction,
    topic: OutboxTopic<P>,
    payloads: readonly P[],
  ): Promise<void> {
    if (payloads.length === 0) return;
    await tx.send(insertFacts(payloads.map((payload) => ({ topic, payload }))));
    tx.raise(new OutboxAppended(topic));
  }

  /** Facts of several topics, by the last thing the transaction does; none without facts. */
  appendWithCommit(tx: Transaction, facts: readonly OutboxFact[]): void {
    if (facts.length === 0) return;
    tx.sendWithCommit(insertFacts(facts));
    for (const topic of new Set(facts.map((fact) => fact.topic))) tx.raise(new OutboxAppended(topic));
  }

  /** As part of a statement of the caller's, who says when it was committed: `appended`. None without facts. */
  insertion(facts: readonly OutboxFact[]): Statement | undefined {
    return facts.length === 0 ? undefined : insertFacts(facts);
  }
  appended(facts: readonly OutboxFact[]): void {
    for (const topic of new Set(facts.map((fact) => fact.topic)))
      this.events.publish(new OutboxAppended(topic));
  }

  /**
   * Names the consumer of a topic, in `onModuleInit`. `handler` gets 1 to 100 rows and must write in `tx` only: when it
   * throws, nothing of it stays, and rows that fail alone are put off, 10 times at most; those that wait for a lock are
   * put off for a moment (see `RowsHeld`), however often. With `gatherMs` a batch waits so long for more of its kind.
   */
  drain<P extends object>(topic: OutboxTopic<P>, handler: OutboxHandler<P>, { gatherMs = 0 } = {}): void {
    if (this.drains.has(topic)) throw new Error(`The outbox topic ${topic} has a consumer`);
    const { unitOfWork, rows, metrics } = this;
    this.drains.set(
      topic,
      new TopicDrain(topic, handler as OutboxHandler, gatherMs, unitOfWork, rows, metrics),
    );
  }

  /** Rows that are not dead, counted to 10,000; those of topics without a consumer too. */
  waiting(): Promise<number> {
    return this.rows.waiting(10_000);
  }

  /** The rows that were given up, by id, 100 a page. For administrators. */
  dead(after = 0): Promise<DeadRow[]> {
    return this.rows.dead(after, DEAD_PAGE);
  }

  /** Gives a dead row its attempts back. False when there is none. For administrators. */
  async retry(tx: Transaction, id: number): Promise<boolean> {
    const topic = await this.rows.revive(tx, id);
    if (topic === undefined) return false;
    tx.raise(new OutboxAppended(topic));
    return true;
  }

  /** Resolves when no batch is under way; none begins any more. Before the database is closed. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.looking;
    await Promise.all([...this.drains.values()].map((drain) => drain.stop()));
  }

  private wake(topic: string): void {
    this.ownContext.runInAsyncScope(() => this.drains.get(topic)?.wake());
  }

  private look(): void {
    if (this.stopped || this.drains.size === 0) return;
    this.looking ??= this.lookOnce().finally(() => (this.looking = undefined));
  }

  private async lookOnce(): Promise<void> {
    try {
      for (const { topic, due, lagSeconds } of await this.rows.look([...this.drains.keys()])) {
        this.metrics.outboxLag(topic, lagSeconds);
        if (due) this.wake(topic);
      }
      this.unreachable = false;
    } catch (error) {
      // Said once: it looks again every two seconds.
      if (!this.unreachable) this.logger.warn('Looking for rows failed', error);
      this.unreachable = true;
    }
  }
}

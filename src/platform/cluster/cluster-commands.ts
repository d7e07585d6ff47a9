import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { UnitOfWork } from '../database/unit-of-work.js';
import { DomainEvents } from '../events/domain-events.js';
import {
  ClusterCommandsRepository,
  insertCommands,
  type ClusterCommand,
} from './cluster-commands.repository.js';
import { REDIS, type RedisClients } from './redis.js';

type EventClass<E extends object> = abstract new (...args: never[]) => E;

/** A node that hears nothing of Redis acts this much later at most. */
const LOOK_MS = 500;
const CLEAN_MS = 60_000;

/**
 * Facts that every node has to act on, because they end what a socket may hear: a membership, a session, an account. Each is
 * a row, written in the transaction that makes it true; Redis only says that there is one. The other nodes publish it as the
 * one that has written it did, each once.
 */
@Injectable()
export class ClusterCommands implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(ClusterCommands.name);
  private readonly topics = new Map<unknown, string>();
  private readonly classes = new Map<string, EventClass<object>>();
  /** Rows up to here need not be read again, and those after it that were acted on. */
  private settled = 0;
  private readonly done = new Set<number>();
  private isAsked = false;
  private isLooking = false;
  private timers: NodeJS.Timeout[] = [];
  private isActing = false;
  private isAnnouncing = false;

  constructor(
    @Inject(REDIS) private readonly redis: RedisClients | null,
    private readonly rows: ClusterCommandsRepository,
    private readonly unitOfWork: UnitOfWork,
    private readonly events: DomainEvents,
  ) {}

  /** What is raised of this class in a unit of work is published on every node. Its fields are all there is of it. */
  share(topic: string, type: EventClass<object>): void {
    this.topics.set(type, topic);
    this.classes.set(topic, type);
    if (this.redis) this.events.on(type, () => this.announce());
  }

  onModuleInit(): void {
    const { redis } = this;
    if (!redis) return;
    this.unitOfWork.writeWithCommit((raised) => {
      const commands = raised.flatMap((payload) => {
        const topic = this.topics.get(payload.constructor);
        return topic === undefined ? [] : [{ topic, payload }];
      });
      return commands.length > 0 ? insertCommands(redis.node, commands) : undefined;
    });
    redis.listener.on('message', (channel: string) => {
      if (channel === this.channel) void this.look();
    });
    redis.onBack(() => void this.subscribe());
  }

  /** What was written before is in what sockets are opened with. */
  async onApplicationBootstrap(): Promise<void> {
    if (!this.redis) return;
    for (const { id } of await this.rows.after(this.settled)) this.done.add(id);
    await this.subscribe();
    this.timers = [
      setInterval(() => void this.look(), LOOK_MS),
      setInterval(() => void this.rows.removeOld().catch(() => undefined), CLEAN_MS),
    ];
  }

  onModuleDestroy(): void {
    for (const timer of this.timers) clearInterval(timer);
  }

  private get channel(): string {
    return `${this.redis?.prefix ?? ''}:commands`;
  }

  /** Without it the next look finds what there is. */
  private async subscribe(): Promise<void> {
    await this.redis?.listener.subscribe(this.channel).catch(() => undefined);
    await this.look();
  }

  /** Once for all that this turn of the event loop has committed. */
  private announce(): void {
    if (this.isActing || this.isAnnouncing) return;
    this.isAnnouncing = true;
    setImmediate(() => {
      this.isAnnouncing = false;
      this.redis?.commands.publish(this.channel, '').catch(() => undefined);
    });
  }

  /** One at a time: what is announced during a look is found by one more. */
  private async look(): Promise<void> {
    this.isAsked = true;
    if (this.isLooking) return;
    this.isLooking = true;
    while (this.isAsked) {
      this.isAsked = false;
      await this.act();
    }
    this.isLooking = false;
  }

  private async act(): Promise<void> {
    try {
      for (const command of await this.rows.after(this.settled)) {
        if (!this.done.has(command.id)) this.publish(command);
        this.done.add(command.id);
        if (!command.settled) continue;
        this.settled = Math.max(this.settled, command.id);
      }
      for (const id of this.done) if (id <= this.settled) this.done.delete(id);
    } catch (error) {
      this.logger.debug({ err: error }, 'Commands of other nodes could not be read');
    }
  }

  private publish({ node, topic, payload }: ClusterCommand): void {
    const type = this.classes.get(topic);
    // A newer node knows more than we do.
    if (node === this.redis?.node || !type) return;
    this.isActing = true;
    try {
      this.events.publish(Object.assign(Object.create(type.prototype as object) as object, payload));
    } finally {
      this.isActing = false;
    }
  }
}

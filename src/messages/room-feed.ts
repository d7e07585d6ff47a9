import {
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { RoomBus } from '../platform/cluster/room-bus.js';
import { DomainEvents } from '../platform/events/domain-events.js';
import { Metrics } from '../platform/metrics/metrics.js';
import { FeedPosition } from './feed-position.js';
import { MessagesCommitted, type CommittedChange } from './messages.events.js';
import { RoomFeedRepository } from './room-feed.repository.js';

/** Positions are compared with Postgres so often, whatever Redis says. */
const LOOK_MS = 15_000;
/** A packet of another node may come after a later one of a third: it is waited for so long before it counts as lost. */
const LATE_MS = 250;
const ROOMS_AT_ONCE = 500;
const PAGE = 500;

/**
 * Brings what other nodes commit to the sockets of this one, each change once. The packets of `RoomBus` are hints; what
 * they leave out shows as a hole in `rev`, or as a head in Postgres that is further on, and is read from the log.
 */
@Injectable()
export class RoomFeed implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(RoomFeed.name);
  /** Of the rooms with sockets on this node. */
  private readonly positions = new Map<string, FeedPosition>();
  private readonly late = new Map<string, NodeJS.Timeout>();
  private readonly reading = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private isEnding = false;

  constructor(
    private readonly bus: RoomBus,
    private readonly events: DomainEvents,
    private readonly rows: RoomFeedRepository,
    private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    if (!this.bus.isShared) return;
    this.events.on(MessagesCommitted, ({ roomId, changes, isOurs }) => {
      if (isOurs) this.bus.publish(roomId, changes);
    });
    this.bus.listen({
      packet: (roomId, changes) => this.arrived(roomId, changes as CommittedChange[]),
      hosted: (roomIds) => this.begin(roomIds),
      released: (roomId) => this.end(roomId),
      back: () => void this.look(this.bus.hostedRooms),
    });
  }

  onApplicationBootstrap(): void {
    if (this.bus.isShared) this.timer = setInterval(() => void this.look(this.bus.hostedRooms), LOOK_MS);
  }

  onModuleDestroy(): void {
    this.isEnding = true;
    clearInterval(this.timer);
    for (const roomId of [...this.late.keys()]) this.forgetLate(roomId);
  }

  /** Those of these changes that the sockets of this node have yet to be told of. They are told in the same breath. */
  take(roomId: string, changes: readonly CommittedChange[]): readonly CommittedChange[] {
    const position = this.positions.get(roomId);
    if (!position) return changes;
    const fresh = changes.filter(({ message }) => position.take(message.rev));
    if (position.hasHoles) this.lookLater(roomId);
    return fresh;
  }

  private arrived(roomId: string, changes: CommittedChange[]): void {
    this.events.publish(new MessagesCommitted(roomId, changes, performance.now(), false));
  }

  private async begin(roomIds: string[]): Promise<void> {
    const heads = await this.rows.heads(roomIds);
    for (const [roomId, head] of heads)
      if (!this.positions.has(roomId)) this.positions.set(roomId, new FeedPosition(head));
  }

  private end(roomId: string): void {
    this.positions.delete(roomId);
    this.forgetLate(roomId);
  }

  private lookLater(roomId: string): void {
    if (this.late.has(roomId) || this.isEnding) return;
    const look = () => {
      this.late.delete(roomId);
      void this.look([roomId]);
    };
    this.late.set(roomId, setTimeout(look, LATE_MS));
  }

  private forgetLate(roomId: string): void {
    clearTimeout(this.late.get(roomId));
    this.late.delete(roomId);
  }

  /** When Postgres is away too, the next look finds what is missing. */
  private async look(roomIds: readonly string[]): Promise<void> {
    try {
      for (let from = 0; from < roomIds.length; from += ROOMS_AT_ONCE) {
        const heads = await this.rows.heads(roomIds.slice(from, from + ROOMS_AT_ONCE));
        for (const [roomId, head] of heads) await this.catchUp(roomId, head);
      }
    } catch (error) {
      this.logger.warn({ err: error }, 'What was missed could not be read; it will be tried again');
    }
  }

  private async catchUp(roomId: string, head: number): Promise<void> {
    const position = this.positions.get(roomId);
    if (!position) {
      await this.begin([roomId]);
      return;
    }
    if (position.complete >= head || this.reading.has(roomId)) return;
    this.reading.add(roomId);
    try {
      for (let since = position.complete, more = true; more;) {
        const page = await this.rows.changes(roomId, since, PAGE, (rev) => !position.has(rev));
        const missed = page.filter(({ rev }) => !position.has(rev)).map(({ change }) => change);
        if (missed.length > 0) {
          this.metrics.healed(missed.length);
          this.arrived(roomId, missed);
        }
        since = page.at(-1)?.rev ?? since;
        more = page.length === PAGE;
      }
      position.read(head);
    } finally {
      this.reading.delete(roomId);
    }
  }
}

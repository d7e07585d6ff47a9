import { Inject, Injectable, Logger } from '@nestjs/common';
import { Metrics } from '../metrics/metrics.js';
import { REDIS, type RedisClients } from './redis.js';

/** What becomes of the rooms of this node. */
export interface RoomListener {
  /** Another node has published it. */
  packet(roomId: string, body: unknown): void;
  /** Waited for by whoever subscribes the first socket of these rooms. */
  hosted(roomIds: string[]): Promise<void>;
  /** The last socket has left. */
  released(roomId: string): void;
  /** Redis was away, and all rooms are subscribed to again. */
  back(): void;
}

/** A packet is the id of its node, a UUID, and what it says as JSON: one's own, which come back too, are not parsed. */
const NODE_LENGTH = 36;

/**
 * Carries what happens in a room to the other nodes that have somebody in it: one packet per room and batch, over the
 * sharded pub/sub of Redis. A hint: it may be lost with Redis, or come after a later one of another node. Whoever listens
 * compares positions and reads what is missing from Postgres. Without REDIS_URL there is nobody to tell.
 */
@Injectable()
export class RoomBus {
  private readonly logger = new Logger(RoomBus.name);
  /** How the channels of rooms begin. */
  private readonly channels: string;
  /** Rooms with sockets on this node; the promise ends when Redis knows, or cannot be told. */
  private readonly hosted = new Map<string, Promise<void>>();
  private listener: RoomListener | undefined;

  constructor(
    @Inject(REDIS) private readonly redis: RedisClients | null,
    private readonly metrics: Metrics,
  ) {
    this.channels = `${redis?.prefix ?? ''}:room:`;
    redis?.listener.on('smessage', (channel: string, message: string) => this.received(channel, message));
    redis?.onBack(() => void this.subscribeAgain());
  }

  /** There may be other nodes. */
  get isShared(): boolean {
    return this.redis !== null;
  }

  /** The rooms this node has sockets in. */
  get hostedRooms(): string[] {
    return [...this.hosted.keys()];
  }

  /** There is one: who keeps the positions. */
  listen(listener: RoomListener): void {
    this.listener = listener;
  }

  /** Before a socket hears of these rooms: from here on packets arrive, so what is read after it leaves no hole. */
  async host(roomIds: readonly string[]): Promise<void> {
    if (!this.redis) return;
    const fresh = roomIds.filter((roomId) => !this.hosted.has(roomId));
    if (fresh.length > 0) {
      const hosting = this.subscribe(fresh).then(() => this.begin(fresh));
      for (const roomId of fresh) this.hosted.set(roomId, hosting);
    }
    for (const hosting of new Set(roomIds.map((roomId) => this.hosted.get(roomId)))) await hosting;
  }

  /** Without the positions what is lost of these rooms shows later: when they are compared. */
  private async begin(roomIds: string[]): Promise<void> {
    try {
      await this.listener?.hosted(roomIds);
    } catch (error) {
      this.logger.debug({ err: error }, 'The positions of rooms could not be read');
    }
  }

  /** Its last socket of this node has left. */
  release(roomId: string): void {
    if (!this.redis || !this.hosted.delete(roomId)) return;
    this.listener?.released(roomId);
    // When it fails the connection is gone, and with it the subscription.
    this.redis.listener.sunsubscribe(this.channels + roomId).catch(() => undefined);
  }

  /** Nobody waits for it. */
  publish(roomId: string, body: object): void {
    if (!this.redis) return;
    const packet = this.redis.node + JSON.stringify(body);
    this.redis.commands.spublish(this.channels + roomId, packet).then(
      () => this.metrics.roomPackets('sent'),
      () => this.metrics.roomPackets('lost'),
    );
  }

  private received(channel: string, message: string): void {
    if (this.redis && message.startsWith(this.redis.node)) return;
    this.metrics.roomPackets('received');
    this.listener?.packet(channel.slice(this.channels.length), JSON.parse(message.slice(NODE_LENGTH)));
  }

  private async subscribeAgain(): Promise<void> {
    await this.subscribe(this.hostedRooms);
    this.listener?.back();
  }

  /** One command for each, in one packet: in a cluster of Redis they live on different shards. */
  private async subscribe(roomIds: readonly string[]): Promise<void> {
    const { redis } = this;
    if (!redis) return;
    try {
      await Promise.all(roomIds.map((roomId) => redis.listener.ssubscribe(this.channels + roomId)));
    } catch (error) {
      // They are subscribed to when Redis is back; until then positions are compared.
      this.logger.debug({ err: error }, 'Rooms could not be subscribed to');
    }
  }
}

import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Server } from 'socket.io';
import type { Config } from '../config/config.js';
import { CONFIG } from '../config/config.module.js';
import { Metrics } from '../metrics/metrics.js';
import { ConnectionQueue, queueOf, type SharedQueue } from './frame-queue-connection.js';
import {
  isKnown,
  missingPart,
  type EncodingAdapter,
  type Engine,
  type SocketIoClient,
} from './frame-queue-internals.js';
import { FrameList } from './frame-queue-list.js';
import { PacketRun, type EncodedPacket } from './packet-run.js';
import type { RealtimeNamespace } from './realtime-server.js';
import type { RealtimeSocket } from './realtime-socket.js';
import { SlowConsumers } from './slow-consumers.js';

/**
 * To write to a room of hundreds takes milliseconds, in which nobody is listened to and Postgres has nothing to do. With few
 * frames for each connection it is done in slices. With many it is not: then larger batches are worth more than early ones.
 */
const SLICE_MS = 0.5;
const FEW_FRAMES = 4;
/** Nobody waits longer for those before them: on a busy node a turn of the event loop is long. */
const MOST_HELD_MS = 5;
/** Connections between two looks at the clock. */
const TIMED = 16;

/**
 * What leaves for all connections: each packet is framed once, what one turn of the event loop brought for a connection leaves in one
 * write, and connections with the same in their queues (members of one room) are given the same bytes. A write costs 4 to 5 us of CPU
 * whatever is in it, so fewer of them is what a node gains by.
 *
 * It stands below Socket.IO, so `emit`, acknowledgements and every adapter are as before, and what clients receive is byte for byte the
 * same: docs/decisions/0018-frame-queue.md.
 */
@Injectable()
export class FrameQueue implements SharedQueue {
  empty = FrameList.empty();
  enabled = false;
  readonly limits: SharedQueue['limits'];
  private readonly logger = new Logger(FrameQueue.name);
  private filled: ConnectionQueue[] = [];
  private readonly first = new Set<ConnectionQueue>();
  private slow: { connection: ConnectionQueue; waitingBytes: number }[] = [];
  private isScheduled = false;
  private isPlain = false;
  /** Since when something of an earlier turn waits. */
  private heldSince: number | undefined;
  private frames = 0;
  private writes = 0;

  constructor(
    @Inject(CONFIG) { limits }: Config,
    private readonly slowConsumers: SlowConsumers,
    private readonly metrics: Metrics,
  ) {
    this.limits = limits.slowConsumer;
  }

  /** Looks at the libraries the server runs on. Before anybody connects. */
  start({ engine }: Pick<Server, 'engine'>): void {
    const missing = missingPart(engine as unknown as Engine);
    this.enabled = missing === undefined && !this.isPlain;
    if (missing !== undefined) this.usePlainPath(missing);
  }

  /** Before anything is written through the connection of this socket by us. */
  install(socket: RealtimeSocket): void {
    const client = socket.client as unknown as SocketIoClient;
    if (isKnown(client)) ConnectionQueue.install(this, client);
    else this.usePlainPath('the way a client writes to engine.io');
  }

  /** For good: what is not there now will not come. */
  usePlainPath(missing: string): void {
    if (this.isPlain) return;
    this.isPlain = true;
    this.enabled = false;
    this.logger.warn(`What is sent takes the plain path, which is slower: not found is ${missing}`);
    this.flush();
  }

  /**
   * The same event with each of the payloads, in their order, to sockets of this node: what as many `emit` do, with one walk through
   * the sockets instead of one for each payload.
   */
  broadcast(
    namespace: RealtimeNamespace,
    socketIds: ReadonlySet<string>,
    event: string,
    payloads: readonly object[],
  ): void {
    const adapter = namespace.adapter as unknown as EncodingAdapter;
    if (!this.enabled || !adapter._encode) {
      // The id of a socket is a channel too; without any, `to` would mean everybody.
      if (socketIds.size > 0)
        for (const payload of payloads) namespace.to([...socketIds]).emit(event, payload);
      return;
    }
    const run = new PacketRun(
      payloads.map((payload) =>
        encodedBy(adapter, { type: EVENT, data: [event, payload], nsp: namespace.name }),
      ),
    );
    for (const socketId of socketIds) {
      const socket = namespace.sockets.get(socketId);
      if (!socket) continue;
      const queue = queueOf(socket.client as unknown as SocketIoClient);
      // Whoever listens to what leaves hears of it where a socket emits by itself.
      if (queue && socket.listenersAnyOutgoing().length === 0) queue.writeRun(run);
      else for (const payload of payloads) socket.emit(event, payload);
    }
  }

  flushLater(connection: ConnectionQueue): void {
    this.filled.push(connection);
    this.schedule();
  }

  flushFirst(connection: ConnectionQueue): void {
    this.first.add(connection);
  }

  cutLater(connection: ConnectionQueue, waitingBytes: number): void {
    this.slow.push({ connection, waitingBytes });
    this.schedule();
  }

  wrote(frames: number): void {
    this.frames += frames;
    this.writes += 1;
  }

  wrotePlainly(): void {
    this.metrics.framesWritten('plain', 1);
  }

  /** After everything this turn of the event loop has read was worked on: `setImmediate` runs right after the reading. */
  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => {
      const now = performance.now();
      this.flush(now - (this.heldSince ?? now) > MOST_HELD_MS ? Infinity : now + SLICE_MS);
    });
  }

  /** Until then at least; what is left leaves after what has come meanwhile was read, and with what that brings. */
  private flush(until = Infinity): void {
    const { slow } = this;
    this.isScheduled = false;
    this.slow = [];
    this.empty = FrameList.empty();
    for (const connection of this.first) connection.flush();
    this.first.clear();
    this.flushFilled(until);
    this.metrics.framesWritten('queue', this.frames);
    this.metrics.socketsWritten(this.writes);
    this.frames = this.writes = 0;
    for (const { connection, waitingBytes } of slow)
      connection.end((client) => this.slowConsumers.cut(client, waitingBytes));
  }

  private flushFilled(until: number): void {
    const { filled } = this;
    this.filled = [];
    let at = 0;
    while (at < filled.length) {
      const end = Math.min(filled.length, at + TIMED);
      while (at < end) filled[at++]?.flush();
      if (this.frames <= FEW_FRAMES * this.writes && performance.now() > until) break;
    }
    if (at === filled.length) {
      this.heldSince = undefined;
      return;
    }
    this.heldSince ??= performance.now();
    this.filled = filled.slice(at).concat(this.filled);
    this.schedule();
  }
}

/** Of socket.io-protocol. */
const EVENT = 2;

function encodedBy(adapter: EncodingAdapter, packet: object): EncodedPacket {
  const options = {};
  return { packets: adapter._encode?.(packet, options) ?? [], options };
}

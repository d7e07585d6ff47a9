import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { SendSignal, ChatEvents } from '../contract/chat.js';
import type { Actor } from '../platform/identity/actor.js';
import { Publisher } from '../platform/realtime/publisher.js';
import type { RealtimeSocket } from '../platform/realtime/realtime-socket.js';
import { RoomAccess } from '../rooms/room-access.service.js';

/** Signals of one sender and kind reach a room at most this often; in between the newest one waits. */
const INTERVAL_MS = 50;

type Signal = ChatEvents['room:signal'];

/** Ephemeral events of applications (shared cursors, lobby counts): passed on to the room, never stored. */
@Injectable()
export class Signals implements OnModuleDestroy {
  private readonly senders = new Map<string, { timer: NodeJS.Timeout; newest?: () => void }>();

  constructor(
    private readonly access: RoomAccess,
    private readonly publisher: Publisher,
  ) {}

  /** To the room's other sockets. */
  async send(socket: RealtimeSocket, input: SendSignal): Promise<void> {
    const { actor } = socket.data;
    await this.access.writer(actor, input.roomId);
    this.pass(actor, input, (signal) =>
      this.publisher.chat.toRoomFrom(socket, input.roomId, 'room:signal', signal),
    );
  }

  /** From REST, where there is no socket to leave out. */
  async sendFromRest(actor: Actor, input: SendSignal): Promise<void> {
    await this.access.writer(actor, input.roomId);
    this.pass(actor, input, (signal) => this.publisher.chat.toRoom(input.roomId, 'room:signal', signal));
  }

  onModuleDestroy(): void {
    for (const { timer } of this.senders.values()) clearTimeout(timer);
  }

  private pass(
    { userId }: Actor,
    { roomId, kind, data }: SendSignal,
    publish: (signal: Signal) => void,
  ): void {
    const key = `${roomId} ${kind} ${userId}`;
    const tell = () => publish({ roomId, userId, kind, data });
    const busy = this.senders.get(key);
    if (busy) busy.newest = tell;
    else this.tellNow(key, tell);
  }

  private tellNow(key: string, tell: () => void): void {
    tell();
    const timer = setTimeout(() => {
      const newest = this.senders.get(key)?.newest;
      this.senders.delete(key);
      if (newest) this.tellNow(key, newest);
    }, INTERVAL_MS);
    this.senders.set(key, { timer });
  }
}

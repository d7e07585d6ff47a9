import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Publisher } from '../platform/realtime/publisher.js';

const INTERVAL_MS = 1000;

/** Tells a room who has read how far: the newest position of each, at once when it was quiet, else once a second. */
@Injectable()
export class ReadCursors implements OnModuleDestroy {
  private readonly rooms = new Map<string, { cursors: Map<string, number>; timer: NodeJS.Timeout }>();

  constructor(private readonly publisher: Publisher) {}

  moved(roomId: string, userId: string, seq: number): void {
    const waiting = this.rooms.get(roomId);
    if (waiting) waiting.cursors.set(userId, Math.max(seq, waiting.cursors.get(userId) ?? 0));
    else this.tell(roomId, new Map([[userId, seq]]));
  }

  onModuleDestroy(): void {
    for (const { timer } of this.rooms.values()) clearTimeout(timer);
  }

  private tell(roomId: string, cursors: Map<string, number>): void {
    this.publisher.chat.toRoom(roomId, 'message:read', {
      roomId,
      cursors: [...cursors].map(([userId, seq]) => ({ userId, seq })),
    });
    const timer = setTimeout(() => {
      const next = this.rooms.get(roomId)?.cursors;
      this.rooms.delete(roomId);
      if (next && next.size > 0) this.tell(roomId, next);
    }, INTERVAL_MS);
    this.rooms.set(roomId, { cursors: new Map(), timer });
  }
}

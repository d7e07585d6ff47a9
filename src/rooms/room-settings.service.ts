import { Injectable } from '@nestjs/common';
import { AuditLog } from '../audit/audit-log.service.js';
import type { UpdateRoom } from '../contract/chat.js';
import type { Room } from '../contract/views.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { RoomAccess } from './room-access.service.js';
import { RoomTurns } from './room-turns.js';
import { RoomViews } from './room-views.service.js';
import type { RoomEntity } from './room.entity.js';
import { RoomChanged } from './rooms.events.js';
import { RoomsRepository } from './rooms.repository.js';

/** What a room is called and how it is used, as its owners and admins set it. */
@Injectable()
export class RoomSettings {
  constructor(
    private readonly turns: RoomTurns,
    private readonly access: RoomAccess,
    private readonly rooms: RoomsRepository,
    private readonly views: RoomViews,
    private readonly audit: AuditLog,
  ) {}

  async update(
    actor: Actor,
    { roomId, name, topic, slowModeSeconds, archived }: UpdateRoom,
  ): Promise<{ room: Room }> {
    await this.turns.run(roomId, async (tx) => {
      const { room, member } = await this.access.lockedMember(tx, actor, roomId, 'room:update');
      if (archived !== undefined && member.role !== 'owner')
        throw new AppError('FORBIDDEN', 'Only owners archive a room');
      await this.rooms.update(tx, roomId, {
        ...(name !== undefined && { name }),
        ...(topic !== undefined && { topic: topic === '' ? null : topic }),
        ...(slowModeSeconds !== undefined && { slowModeSeconds }),
      });
      if (archived !== undefined) await this.archive(tx, actor, room, archived);
      tx.raise(new RoomChanged(roomId));
    });
    return { room: await this.views.showOne(await this.access.member(actor, roomId)) };
  }

  private async archive(tx: Transaction, actor: Actor, room: RoomEntity, archived: boolean): Promise<void> {
    const { archivedAt } = room;
    if ((archivedAt !== null) === archived) return;
    const after = await this.rooms.setTime(tx, room.id, 'archivedAt', archived);
    await this.audit.append(tx, actor, {
      act: archived ? 'room.archive' : 'room.unarchive',
      target: { type: 'room', id: room.id },
      roomId: room.id,
      before: { archivedAt },
      after: { archivedAt: after },
    });
  }
}

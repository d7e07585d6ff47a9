import { Injectable } from '@nestjs/common';
import type { OnRoom } from '../contract/admin.js';
import { AuditLog } from '../audit/audit-log.service.js';
import type { Actor } from '../platform/identity/actor.js';
import { assertAdministrator } from '../platform/identity/administrator.js';
import { ActingAdministrator } from '../users/acting-administrator.service.js';
import { RoomTurns } from './room-turns.js';
import { RoomChanged } from './rooms.events.js';
import { roomNotFound } from './rooms.policy.js';
import { RoomsRepository } from './rooms.repository.js';

/** What administrators of the installation do with rooms, in them or not. */
@Injectable()
export class RoomAdministration {
  constructor(
    private readonly acting: ActingAdministrator,
    private readonly turns: RoomTurns,
    private readonly rooms: RoomsRepository,
    private readonly audit: AuditLog,
  ) {}

  /** Closes the room for writing: ROOM_FROZEN. */
  freeze(actor: Actor, input: OnRoom): Promise<void> {
    return this.setFrozen(actor, input, true);
  }

  unfreeze(actor: Actor, input: OnRoom): Promise<void> {
    return this.setFrozen(actor, input, false);
  }

  private async setFrozen(actor: Actor, { roomId, reason }: OnRoom, frozen: boolean): Promise<void> {
    assertAdministrator(actor);
    await this.turns.run(roomId, async (tx) => {
      await this.acting.assert(tx, actor);
      const room = await this.rooms.lock(tx, roomId);
      if (!room) throw roomNotFound();
      if ((room.frozenAt !== null) === frozen) return;
      const frozenAt = await this.rooms.setTime(tx, roomId, 'frozenAt', frozen);
      tx.raise(new RoomChanged(roomId));
      await this.audit.append(tx, actor, {
        act: frozen ? 'room.freeze' : 'room.unfreeze',
        target: { type: 'room', id: roomId },
        roomId,
        reason,
        before: { frozenAt: room.frozenAt },
        after: { frozenAt },
      });
    });
  }
}

import { Injectable } from '@nestjs/common';
import type { NotifyLevel, RoomPreference } from '../contract/notifications.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import type { Actor } from '../platform/identity/actor.js';
import { MembersRepository } from './members.repository.js';
import { roomNotFound } from './rooms.policy.js';

/** What is left out stays; `mutedUntil: null` ends a mute. */
export interface NotifySetting {
  level?: NotifyLevel;
  mutedUntil?: string | null;
}

/** How much each member wants to hear of a room. It is kept with the membership, and ends with it. */
@Injectable()
export class NotifySettings {
  constructor(private readonly members: MembersRepository) {}

  /** Changes one's own membership only, so the room need not be locked. NOT_FOUND for every other room, whether it exists or not. */
  async set(tx: Transaction, actor: Actor, roomId: string, setting: NotifySetting): Promise<void> {
    if (!(await this.members.setNotify(tx, roomId, actor.userId, setting))) throw roomNotFound();
  }

  /** Those of one's rooms where it is not as is usual, by room id. */
  async of(tx: Transaction, actor: Actor): Promise<RoomPreference[]> {
    const rows = await this.members.notifySettings(tx, actor.userId);
    return rows.map(({ roomId, level, mutedUntil }) => ({
      roomId,
      level,
      ...(mutedUntil && { mutedUntil: mutedUntil.toISOString() }),
    }));
  }
}

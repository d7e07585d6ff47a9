import { Injectable } from '@nestjs/common';
import type { NotificationPreferences, SetPreference } from '../contract/notifications.js';
import { UnitOfWork, type Transaction } from '../platform/database/unit-of-work.js';
import type { Actor } from '../platform/identity/actor.js';
import { NotifySettings } from '../rooms/notify-settings.service.js';
import { InboxesRepository, type Inbox } from './inboxes.repository.js';
import { PreferencesChanged } from './notifications.events.js';
import { allChannels, assertOneSetting, assertQuietHours, withKind } from './preferences.policy.js';

type Preferences = Promise<{ preferences: NotificationPreferences }>;

/** What a user wants to be told of, and where. */
@Injectable()
export class PreferencesService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly inboxes: InboxesRepository,
    private readonly rooms: NotifySettings,
  ) {}

  get(actor: Actor): Preferences {
    return this.unitOfWork.run(async (tx) => ({ preferences: await this.read(tx, actor) }));
  }

  /** Under the inbox's lock: what is told last is what holds. */
  async set(actor: Actor, input: SetPreference): Preferences {
    assertOneSetting(input);
    if (input.quietHours) assertQuietHours(input.quietHours);
    return this.unitOfWork.run(async (tx) => {
      const inbox = (await this.inboxes.lock(tx, [actor.userId])).of(actor.userId);
      await this.write(tx, actor, inbox, input);
      await this.inboxes.changed(tx, [actor.userId]);
      const preferences = await this.read(tx, actor);
      tx.raise(new PreferencesChanged(actor.userId, preferences));
      return { preferences };
    });
  }

  private async write(tx: Transaction, actor: Actor, inbox: Inbox, input: SetPreference): Promise<void> {
    const { roomId, level, mutedUntil, kind, channels, quietHours } = input;
    if (roomId !== undefined) await this.rooms.set(tx, actor, roomId, { level, mutedUntil });
    if (kind !== undefined && channels !== undefined)
      await this.inboxes.setKinds(tx, actor.userId, withKind(inbox.kinds, kind, channels));
    if (quietHours !== undefined) await this.inboxes.setQuietHours(tx, actor.userId, quietHours);
  }

  private async read(tx: Transaction, actor: Actor): Promise<NotificationPreferences> {
    const [inbox] = await this.inboxes.settings([actor.userId], tx);
    return {
      kinds: allChannels(inbox?.kinds ?? null),
      rooms: await this.rooms.of(tx, actor),
      ...(inbox?.quietHours && { quietHours: inbox.quietHours }),
    };
  }
}

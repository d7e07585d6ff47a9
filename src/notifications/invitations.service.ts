import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Transaction } from '../platform/database/unit-of-work.js';
import type { OutboxRow } from '../platform/outbox/outbox-topic.js';
import { Outbox } from '../platform/outbox/outbox.js';
import { MEMBER_ADDED, type MemberAddedFact } from '../rooms/rooms.events.js';
import { DecisionFactsRepository } from './decision-facts.repository.js';
import { InboxWriter } from './inbox-writer.js';
import { InboxesRepository } from './inboxes.repository.js';
import { textOfInvite } from './notification.text.js';
import { preferenceFor } from './notifications.policy.js';

/** Tells people that somebody made them a member of a room. */
@Injectable()
export class Invitations implements OnModuleInit {
  constructor(
    private readonly outbox: Outbox,
    private readonly facts: DecisionFactsRepository,
    private readonly inboxes: InboxesRepository,
    private readonly writer: InboxWriter,
  ) {}

  onModuleInit(): void {
    this.outbox.drain(MEMBER_ADDED, (tx, rows) => this.tell(tx, rows));
  }

  private async tell(tx: Transaction, rows: OutboxRow<MemberAddedFact>[]): Promise<void> {
    const added = rows.map(({ payload }) => payload);
    // Locked first: whoever is a member from here on has not left yet, and what takes it back when they do comes later.
    const inboxes = await this.inboxes.lockSoon(
      tx,
      added.map(({ userId }) => userId),
    );
    const open = (await this.facts.invites(tx, added)).filter(({ suspended }) => !suspended);
    await this.writer.tell(
      tx,
      inboxes,
      open.flatMap(({ roomId, userId, roomName, byUserId, byName, byAvatarUrl }) => {
        const { reason, channels } = preferenceFor('invite', inboxes.of(userId), inboxes.now);
        if (!channels.inApp) return [];
        const actor = { id: byUserId, name: byName, avatarUrl: byAvatarUrl };
        const text = textOfInvite(byName, roomName);
        return [
          { userId, kind: 'invite', ...text, channels, silent: reason === 'quiet_hours', roomId, actor },
        ];
      }),
    );
  }
}

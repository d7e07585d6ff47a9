import { Inject, Injectable } from '@nestjs/common';
import { v7 as uuid } from 'uuid';
import type { NotificationChannels, NotificationKind } from '../contract/notifications.js';
import type { Config } from '../platform/config/config.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { Outbox } from '../platform/outbox/outbox.js';
import { InboxesRepository, type LockedInboxes } from './inboxes.repository.js';
import type { NotificationText } from './notification.text.js';
import { notificationView } from './notification.view.js';
import { NOTIFICATION_DELIVER, NotificationsTold, type DeliveryFact } from './notifications.events.js';
import { NotificationsRepository, type GrowthKey, type WrittenRow } from './notifications.repository.js';
import { OutsideChannels } from './outside-channels.service.js';

/** What one user is to be told of, and where. */
export interface Telling extends NotificationText {
  userId: string;
  kind: NotificationKind;
  channels: NotificationChannels;
  silent: boolean;
  /** Given: what came shortly before in the same room, thread and kind takes it in. */
  roomId?: string;
  threadId?: string | null;
  message?: { id: string; seq: number };
  actor?: { id: string; name: string; avatarUrl: string | null };
  url?: string;
}

/** A notification as it comes to be in this transaction: a row of its own, or one that grows. */
interface Draft {
  row: WrittenRow;
  grown: boolean;
  channels: NotificationChannels;
}

/** Puts notifications into locked inboxes: new ones, or bursts of the same kind as one that grows. */
@Injectable()
export class InboxWriter {
  private readonly digestMs: number;

  constructor(
    @Inject(CONFIG) config: Config,
    private readonly inboxes: InboxesRepository,
    private readonly notifications: NotificationsRepository,
    private readonly outbox: Outbox,
    private readonly outside: OutsideChannels,
  ) {
    this.digestMs = config.notifications.digestMs;
  }

  /** In the order of `tellings`, and with the id of the notification of each. */
  async tell(tx: Transaction, inboxes: LockedInboxes, tellings: readonly Telling[]): Promise<string[]> {
    if (tellings.length === 0) return [];
    const drafts = await this.growing(tx, inboxes, tellings);
    const ids = tellings.map((telling) => this.take(drafts, inboxes, telling));
    const told = new Set(ids);
    const written = [...drafts.values()].filter(({ row }) => told.has(row.id));
    await this.notifications.insert(
      tx,
      written.filter(({ grown }) => !grown).map(({ row }) => row),
    );
    await this.notifications.grow(
      tx,
      written.filter(({ grown }) => grown).map(({ row }) => row),
    );
    await this.inboxes.changed(tx, [...new Set(written.map(({ row }) => row.userId))]);
    await this.deliver(tx, written.flatMap(deliveryOf));
    tx.raise(
      new NotificationsTold(
        written.map(({ row, grown }) => ({ userId: row.userId, notification: notificationView(row), grown })),
      ),
    );
    return ids;
  }

  /** Most people have no place to be told at: a fact for each would cost a message another transaction. */
  private async deliver(tx: Transaction, facts: readonly DeliveryFact[]): Promise<void> {
    if (facts.length === 0) return;
    const userIds = [...new Set(facts.map(({ userId }) => userId))];
    const reachable = await this.outside.among(tx, userIds);
    await this.outbox.append(
      tx,
      NOTIFICATION_DELIVER,
      facts.filter(({ userId }) => reachable.has(userId)),
    );
  }

  /** Those that are open for more, by what they take in. */
  private async growing(
    tx: Transaction,
    { now }: LockedInboxes,
    tellings: readonly Telling[],
  ): Promise<Map<string, Draft>> {
    const keys = new Map<string, GrowthKey>();
    for (const { userId, roomId, threadId = null, kind } of tellings)
      if (roomId !== undefined)
        keys.set(keyOf({ userId, roomId, threadId, kind }), { userId, roomId, threadId, kind });
    const drafts = new Map<string, Draft>();
    if (this.digestMs === 0 || keys.size === 0) return drafts;
    const since = new Date(now.getTime() - this.digestMs);
    for (const row of await this.notifications.growing(tx, [...keys.values()], since))
      drafts.set(keyOf(row), {
        row: { ...row, grownVersion: 0 },
        grown: true,
        channels: { inApp: true, push: false, email: false },
      });
    return drafts;
  }

  /** Notes what is told, and the id of the notification that tells it. */
  private take(drafts: Map<string, Draft>, inboxes: LockedInboxes, telling: Telling): string {
    const { userId, roomId, threadId = null, kind } = telling;
    const key =
      roomId === undefined || this.digestMs === 0 ? uuid() : keyOf({ userId, roomId, threadId, kind });
    const draft = drafts.get(key);
    const grownVersion = inboxes.of(userId).version + 1;
    if (draft) {
      grow(draft, telling, inboxes.now, grownVersion);
      return draft.row.id;
    }
    const row = rowOf(telling, inboxes.now, grownVersion);
    drafts.set(key, { row, grown: false, channels: { ...telling.channels } });
    return row.id;
  }
}

// NUL is in none of the parts.
const keyOf = ({ userId, roomId, threadId, kind }: Omit<GrowthKey, 'roomId'> & { roomId: string | null }) =>
  [userId, roomId, threadId, kind].join('\0');

function rowOf(telling: Telling, now: Date, grownVersion: number): WrittenRow {
  const { userId, kind, title, body, roomId, threadId, message, actor, url, silent } = telling;
  return {
    id: uuid(),
    userId,
    kind,
    title,
    body,
    roomId: roomId ?? null,
    messageId: message?.id ?? null,
    seq: message?.seq ?? null,
    threadId: threadId ?? null,
    actorId: actor?.id ?? null,
    actorName: actor?.name ?? null,
    actorAvatarUrl: actor?.avatarUrl ?? null,
    url: url ?? null,
    count: 1,
    silent,
    createdAt: now,
    updatedAt: now,
    readAt: null,
    archivedAt: null,
    grownVersion,
  };
}

function grow(draft: Draft, telling: Telling, now: Date, grownVersion: number): void {
  const { row, channels } = draft;
  const { id, createdAt, count, seq } = row;
  // Of two nodes the one with the older message may be later: it counts, and the newer one stays shown.
  const shown = (telling.message?.seq ?? 0) >= (seq ?? 0) ? rowOf(telling, now, grownVersion) : row;
  draft.row = {
    ...shown,
    id,
    createdAt,
    count: count + 1,
    silent: telling.silent,
    updatedAt: now,
    grownVersion,
  };
  channels.push ||= telling.channels.push;
  channels.email ||= telling.channels.email;
}

function deliveryOf({ row, channels: { push, email } }: Draft): DeliveryFact[] {
  return push || email ? [{ notificationId: row.id, userId: row.userId, push, email }] : [];
}

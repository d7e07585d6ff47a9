import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { UnitOfWork, type Transaction } from '../platform/database/unit-of-work.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { assertAdministrator } from '../platform/identity/administrator.js';
import { CustomNotificationsRepository } from './custom-notifications.repository.js';
import { DecisionFactsRepository } from './decision-facts.repository.js';
import { InboxWriter } from './inbox-writer.js';
import { InboxesRepository } from './inboxes.repository.js';
import { preferenceFor } from './notifications.policy.js';

export interface SendCustomNotification {
  userIds: string[];
  title: string;
  body?: string;
  url?: string;
}

/** Whom it reached; people who have switched custom notifications off are left out. */
export interface SentCustomNotification {
  notifications: { userId: string; id: string }[];
}

/** Notifications of the application's own, sent over REST. */
@Injectable()
export class CustomNotifications {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly requests: CustomNotificationsRepository,
    private readonly facts: DecisionFactsRepository,
    private readonly inboxes: InboxesRepository,
    private readonly writer: InboxWriter,
  ) {}

  /** The same key with the same request gives the first answer, for ever. */
  async send(
    actor: Actor,
    input: SendCustomNotification,
    key: string | undefined,
  ): Promise<SentCustomNotification> {
    assertAdministrator(actor);
    if (key === undefined || !/^[\x21-\x7e]{1,64}$/.test(key))
      throw AppError.invalid('Idempotency-Key', 'must be 1 to 64 printable characters');
    const requestHash = hashOf(input);
    return this.unitOfWork.run(async (tx) => {
      const request = { senderId: actor.userId, idempotencyKey: key, requestHash };
      if (!(await this.requests.claim(tx, request))) return this.repeated(tx, request);
      await this.assertExist(tx, input.userIds);
      const answer = { notifications: await this.tell(tx, input) };
      await this.requests.setAnswer(tx, actor.userId, key, answer);
      return answer;
    });
  }

  private async repeated(
    tx: Transaction,
    request: { senderId: string; idempotencyKey: string; requestHash: string },
  ): Promise<SentCustomNotification> {
    const first = await this.requests.find(tx, request.senderId, request.idempotencyKey);
    if (first.requestHash !== request.requestHash)
      throw new AppError('IDEMPOTENCY_CONFLICT', 'This Idempotency-Key was used for another request');
    return first.answer as SentCustomNotification;
  }

  private async assertExist(tx: Transaction, userIds: string[]): Promise<void> {
    const existing = new Set(await this.facts.existing(tx, userIds));
    const details = userIds.flatMap((userId, index) =>
      existing.has(userId) ? [] : { path: `userIds.${String(index)}`, problem: 'is not a user' },
    );
    if (details.length > 0) throw new AppError('NOT_FOUND', 'There is no such user', { details });
  }

  private async tell(
    tx: Transaction,
    { userIds, title, body = '', url }: SendCustomNotification,
  ): Promise<SentCustomNotification['notifications']> {
    const inboxes = await this.inboxes.lock(tx, userIds);
    const tellings = userIds.flatMap((userId) => {
      const { reason, channels } = preferenceFor('custom', inboxes.of(userId), inboxes.now);
      if (!channels.inApp) return [];
      const silent = reason === 'quiet_hours';
      return [{ userId, kind: 'custom' as const, title, body, url, channels, silent }];
    });
    const ids = await this.writer.tell(tx, inboxes, tellings);
    return tellings.map(({ userId }, index) => ({ userId, id: ids[index] as string }));
  }
}

function hashOf({ userIds, title, body, url }: SendCustomNotification): string {
  return createHash('sha256')
    .update(JSON.stringify([userIds, title, body, url]))
    .digest('base64url');
}

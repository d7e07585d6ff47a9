import { Injectable } from '@nestjs/common';
import { DataSource, In, MoreThan } from 'typeorm';
import { ADVISORY_LOCKS } from '../platform/database/advisory-locks.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { MESSAGE_SENT } from '../messages/messages.events.js';
import { NotificationDecisionEntity } from './notification-decision.entity.js';

/** What is left of a notification when messages of it were deleted. */
export interface Remainder {
  notificationId: string;
  count: number;
  newestMessageId: string;
}

/** The table `notification_decisions`. */
@Injectable()
export class DecisionsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Deciding a message and taking it back keep out of each other's way, whatever nodes they run on: else a message that
   * is deleted while it is decided would stay in the inboxes for ever. Before any inbox is locked, and in one order.
   */
  async lockMessages({ manager }: Transaction, messageIds: readonly string[]): Promise<void> {
    await manager.query(
      `SELECT pg_advisory_xact_lock($1::int, w.key)
         FROM (SELECT DISTINCT hashtext(id) AS key FROM unnest($2::text[]) AS u(id) ORDER BY key) w`,
      [ADVISORY_LOCKS.deciding, messageIds],
    );
  }

  /** Refuses what is decided already. */
  async insert({ manager }: Transaction, rows: readonly NotificationDecisionEntity[]): Promise<void> {
    if (rows.length === 0) return;
    await manager.query(
      `INSERT INTO notification_decisions
              (message_id, user_id, cause, reason, in_app, push, email, notification_id, decided_at)
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bool[], $6::bool[], $7::bool[],
                            $8::uuid[], $9::timestamptz[])`,
      [
        rows.map(({ messageId }) => messageId),
        rows.map(({ userId }) => userId),
        rows.map(({ cause }) => cause),
        rows.map(({ reason }) => reason),
        rows.map(({ inApp }) => inApp),
        rows.map(({ push }) => push),
        rows.map(({ email }) => email),
        rows.map(({ notificationId }) => notificationId),
        rows.map(({ decidedAt }) => decidedAt),
      ],
    );
  }

  /** Decisions by which these messages stand in an inbox. */
  told({ manager }: Transaction, messageIds: readonly string[]): Promise<NotificationDecisionEntity[]> {
    return manager
      .createQueryBuilder(NotificationDecisionEntity, 'decision')
      .where({ messageId: In([...messageIds]) })
      .andWhere('decision.notificationId IS NOT NULL')
      .getMany();
  }

  /** These messages no longer stand in any notification; what is left of each of those, nothing if it told of no other. */
  async takeBack(
    { manager }: Transaction,
    messageIds: readonly string[],
    notificationIds: readonly string[],
  ): Promise<Remainder[]> {
    await manager.query(
      `UPDATE notification_decisions SET notification_id = NULL
        WHERE message_id = ANY($1::uuid[]) AND notification_id IS NOT NULL`,
      [messageIds],
    );
    return manager.query<Remainder[]>(
      `SELECT d.notification_id AS "notificationId", count(*)::int AS count,
              (array_agg(d.message_id ORDER BY m.seq DESC))[1] AS "newestMessageId"
         FROM notification_decisions d JOIN messages m ON m.id = d.message_id
        WHERE d.notification_id = ANY($1::uuid[]) GROUP BY d.notification_id`,
      [notificationIds],
    );
  }

  /** These notifications are gone: that somebody was told remains, and no longer by what. */
  async forgetNotifications({ manager }: Transaction, notificationIds: readonly string[]): Promise<void> {
    await manager.query(
      'UPDATE notification_decisions SET notification_id = NULL WHERE notification_id = ANY($1::uuid[])',
      [notificationIds],
    );
  }

  find(messageId: string, userId: string): Promise<NotificationDecisionEntity | null> {
    return this.dataSource.manager.findOneBy(NotificationDecisionEntity, { messageId, userId });
  }

  page(messageId: string, after: string, limit: number): Promise<NotificationDecisionEntity[]> {
    return this.dataSource.manager.find(NotificationDecisionEntity, {
      where: { messageId, userId: MoreThan(after) },
      order: { userId: 'ASC' },
      take: limit,
    });
  }

  /** Its fact is still on the way; also when it was given up, for an administrator can have it tried again. */
  async isPending(messageId: string): Promise<boolean> {
    const rows = await this.dataSource.query<unknown[]>(
      // The topic as a literal: only then the index of exactly these rows is known to do.
      `SELECT FROM outbox WHERE topic = '${MESSAGE_SENT}' AND payload ->> 'messageId' = $1 LIMIT 1`,
      [messageId],
    );
    return rows.length > 0;
  }
}

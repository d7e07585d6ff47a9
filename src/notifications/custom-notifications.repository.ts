import { Injectable } from '@nestjs/common';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { CustomNotificationEntity } from './custom-notification.entity.js';

/** The table `custom_notifications`. */
@Injectable()
export class CustomNotificationsRepository {
  /** False when the sender used the key before; one who is just doing so is waited for. */
  async claim(
    { manager }: Transaction,
    row: Pick<CustomNotificationEntity, 'senderId' | 'idempotencyKey' | 'requestHash'>,
  ): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      `INSERT INTO custom_notifications (sender_id, idempotency_key, request_hash)
       VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1`,
      [row.senderId, row.idempotencyKey, row.requestHash],
    );
    return rows.length > 0;
  }

  find(
    { manager }: Transaction,
    senderId: string,
    idempotencyKey: string,
  ): Promise<CustomNotificationEntity> {
    return manager.findOneByOrFail(CustomNotificationEntity, { senderId, idempotencyKey });
  }

  async setAnswer(
    { manager }: Transaction,
    senderId: string,
    idempotencyKey: string,
    answer: object,
  ): Promise<void> {
    await manager.update(CustomNotificationEntity, { senderId, idempotencyKey }, { answer });
  }
}

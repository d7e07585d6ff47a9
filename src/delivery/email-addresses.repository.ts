import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { EmailAddressEntity } from './email-address.entity.js';

/** A confirmed address, at the moment a digest is made. */
export interface DigestAddress extends Pick<EmailAddressEntity, 'userId' | 'address' | 'requestedAt'> {
  /** What happened until then was told, or was before there was somebody to tell. */
  since: Date;
  /** So long after the last digest none may be sent. */
  waitSeconds: number;
  /** `freshSeconds` before the database's now. */
  until: Date;
}

const CONFIRM_WITHIN = `requested_at > clock_timestamp() - interval '24 hours'`;

/** The table `email_addresses`. */
@Injectable()
export class EmailAddressesRepository {
  constructor(private readonly dataSource: DataSource) {}

  find(userId: string, tx?: Transaction): Promise<EmailAddressEntity | null> {
    return (tx?.manager ?? this.dataSource.manager).findOneBy(EmailAddressEntity, { userId });
  }

  /** As one that nobody has confirmed. */
  async request({ manager }: Transaction, userId: string, address: string): Promise<void> {
    await manager.query(
      `INSERT INTO email_addresses (user_id, address, requested_at) VALUES ($1, $2, clock_timestamp())
       ON CONFLICT (user_id) DO UPDATE
         SET address = excluded.address, requested_at = excluded.requested_at, confirmed_at = NULL,
             last_digest_at = NULL`,
      [userId, address],
    );
  }

  async isOpen({
    userId,
    requestedAt,
  }: Pick<EmailAddressEntity, 'userId' | 'requestedAt'>): Promise<boolean> {
    const rows = await this.dataSource.query<unknown[]>(
      `SELECT FROM email_addresses WHERE user_id = $1 AND requested_at = $2 AND ${CONFIRM_WITHIN}`,
      [userId, requestedAt],
    );
    return rows.length > 0;
  }

  /** False when the address was asked for too long ago, or another one since. Once more changes nothing. */
  async confirm(
    { manager }: Transaction,
    { userId, requestedAt }: Pick<EmailAddressEntity, 'userId' | 'requestedAt'>,
  ): Promise<boolean> {
    const [, changed] = await manager.query<[unknown[], number]>(
      `UPDATE email_addresses SET confirmed_at = coalesce(confirmed_at, clock_timestamp())
        WHERE user_id = $1 AND requested_at = $2 AND ${CONFIRM_WITHIN}`,
      [userId, requestedAt],
    );
    return changed === 1;
  }

  async remove({ manager }: Transaction, userId: string): Promise<void> {
    await manager.delete(EmailAddressEntity, { userId });
  }

  async removeExactly(
    { manager }: Transaction,
    { userId, requestedAt }: Pick<EmailAddressEntity, 'userId' | 'requestedAt'>,
  ): Promise<void> {
    await manager.delete(EmailAddressEntity, { userId, requestedAt });
  }

  /** Those of the users who have a confirmed address and are not suspended. */
  async confirmedAmong({ manager }: Transaction, userIds: readonly string[]): Promise<string[]> {
    const rows = await manager.query<{ userId: string }[]>(
      `SELECT e.user_id AS "userId" FROM email_addresses e JOIN users u ON u.id = e.user_id
        WHERE e.user_id = ANY($1::text[]) AND e.confirmed_at IS NOT NULL AND u.suspended_at IS NULL
        ORDER BY e.user_id`,
      [userIds],
    );
    return rows.map(({ userId }) => userId);
  }

  /** Users with a confirmed address, by id after a key. */
  async page(after: string, limit: number): Promise<string[]> {
    const rows = await this.dataSource.query<{ userId: string }[]>(
      `SELECT user_id AS "userId" FROM email_addresses WHERE user_id > $1 AND confirmed_at IS NOT NULL
        ORDER BY user_id LIMIT $2`,
      [after, limit],
    );
    return rows.map(({ userId }) => userId);
  }

  /** None without a confirmed address, or while the user is suspended. */
  async forDigest(
    userId: string,
    digestSeconds: number,
    freshSeconds: number,
  ): Promise<DigestAddress | undefined> {
    const [row] = await this.dataSource.query<DigestAddress[]>(
      `SELECT e.user_id AS "userId", e.address, e.requested_at AS "requestedAt",
              coalesce(e.last_digest_at, e.confirmed_at) AS since,
              coalesce(greatest(0, extract(epoch FROM e.last_digest_at - clock_timestamp()) + $2 + $3), 0)::float8
                AS "waitSeconds",
              date_trunc('milliseconds', clock_timestamp() - $3 * interval '1 second') AS until
         FROM email_addresses e JOIN users u ON u.id = e.user_id
        WHERE e.user_id = $1 AND e.confirmed_at IS NOT NULL AND u.suspended_at IS NULL`,
      [userId, digestSeconds, freshSeconds],
    );
    return row;
  }

  async toldUntil({ userId, requestedAt, until }: DigestAddress): Promise<void> {
    await this.dataSource.query(
      'UPDATE email_addresses SET last_digest_at = $3 WHERE user_id = $1 AND requested_at = $2',
      [userId, requestedAt, until],
    );
  }
}

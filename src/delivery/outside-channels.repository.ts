import { Injectable } from '@nestjs/common';
import { OutsideChannels } from '../notifications/outside-channels.service.js';
import type { Transaction } from '../platform/database/unit-of-work.js';

/** Who has a row in `push_subscriptions`, or a confirmed one in `email_addresses`: for anybody else nothing need be delivered. */
@Injectable()
export class OutsideChannelsRepository extends OutsideChannels {
  async among({ manager }: Transaction, userIds: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await manager.query<{ id: string }[]>(
      `SELECT w.id FROM unnest($1::text[]) AS w(id)
        WHERE EXISTS (SELECT FROM push_subscriptions s WHERE s.user_id = w.id)
           OR EXISTS (SELECT FROM email_addresses e WHERE e.user_id = w.id AND e.confirmed_at IS NOT NULL)`,
      [userIds],
    );
    return new Set(rows.map(({ id }) => id));
  }
}

import { Injectable } from '@nestjs/common';
import type { Transaction } from '../platform/database/unit-of-work.js';

/** Notifications of rooms whose members their owners were. */
@Injectable()
export class LeftRoomsRepository {
  /** Of these rooms what came or grew before the user's membership, if they have one. The inboxes are locked. */
  async remove(
    { manager }: Transaction,
    pairs: readonly { roomId: string; userId: string }[],
  ): Promise<{ id: string; userId: string }[]> {
    const [rows] = await manager.query<[{ id: string; userId: string }[], number]>(
      `DELETE FROM notifications n
        USING (SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) AS p(room_id, user_id)) w
        WHERE n.room_id = w.room_id AND n.user_id = w.user_id
          AND NOT EXISTS (SELECT FROM room_members m WHERE m.room_id = n.room_id AND m.user_id = n.user_id
                             AND date_trunc('milliseconds', m.joined_at) <= n.updated_at)
       RETURNING n.id, n.user_id AS "userId"`,
      [pairs.map(({ roomId }) => roomId), pairs.map(({ userId }) => userId)],
    );
    return rows;
  }
}

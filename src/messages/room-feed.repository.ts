import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { messageRows } from './message-rows.repository.js';
import { messageView, type MessageRow } from './message.view.js';
import type { CommittedChange } from './messages.events.js';

type ChangeRow = MessageRow & {
  created_rev: number;
  hidden_from: string[] | null;
};

/** A change of the log, as whoever missed it is told. */
export interface LoggedChange {
  change: CommittedChange;
  rev: number;
}

/** What the sockets of this node have missed. */
@Injectable()
export class RoomFeedRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** By room id, the last `rev` it has given out. */
  async heads(roomIds: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.dataSource.query<{ id: string; last_rev: number }[]>(
      'SELECT id, last_rev FROM rooms WHERE id = ANY($1)',
      [roomIds],
    );
    return new Map(rows.map(({ id, last_rev }) => [id, last_rev]));
  }

  /**
   * The messages that changed after `since`, in their current state and in `rev` order. One that was made in what was
   * missed is new, for whom it is.
   */
  async changes(
    roomId: string,
    since: number,
    limit: number,
    isMissed: (rev: number) => boolean,
  ): Promise<LoggedChange[]> {
    const rows = await this.dataSource.query<ChangeRow[]>(
      `SELECT v.*, c.created_rev,
              CASE WHEN r.history = 'since_join'
                   THEN ARRAY(SELECT m.user_id FROM room_members m WHERE m.room_id = $1 AND m.history_from_seq >= c.seq)
              END AS hidden_from
         FROM (${messageRows('(SELECT * FROM messages WHERE room_id = $1 AND rev > $2 ORDER BY rev LIMIT $3)')}) v
         JOIN messages c ON c.id = v.id
         JOIN rooms r ON r.id = v.room_id
        ORDER BY v.rev`,
      [roomId, since, limit],
    );
    return rows.map((row) => {
      const message = messageView(row);
      const isNew = !message.deletedAt && isMissed(row.created_rev);
      return {
        rev: row.rev,
        change: isNew
          ? { kind: 'created', message }
          : { kind: 'changed', message, hiddenFrom: row.hidden_from ?? [] },
      };
    });
  }
}

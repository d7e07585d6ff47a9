import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Message } from '../contract/views.js';
import type { Membership } from '../rooms/rooms.policy.js';
import { MessageEntity } from './message.entity.js';
import { selectMessages } from './message-rows.repository.js';
import { messageView } from './message.view.js';

/** Single messages, and the last ones of rooms. */
@Injectable()
export class MessagesRepository {
  constructor(private readonly dataSource: DataSource) {}

  async roomOf(messageId: string): Promise<string | undefined> {
    const found = await this.dataSource.manager.findOne(MessageEntity, {
      select: { roomId: true },
      where: { id: messageId },
    });
    return found?.roomId;
  }

  /** Nothing for who is not in its room, came after it, or when it is deleted. */
  async visibleTo(userId: string, messageId: string): Promise<Message | undefined> {
    const [message] = await this.select(
      `JOIN room_members me ON me.room_id = m.room_id AND me.user_id = $2 AND me.history_from_seq < m.seq
        WHERE m.id = $1 AND m.deleted_at IS NULL`,
      [messageId, userId],
    );
    return message;
  }

  async seqOf(roomId: string, messageId: string): Promise<number | undefined> {
    const found = await this.dataSource.manager.findOne(MessageEntity, {
      select: { seq: true },
      where: { id: messageId, roomId },
    });
    return found?.seq;
  }

  /** The newest message of each room's timeline. */
  async newest(memberships: Membership[]): Promise<Map<string, Message>> {
    const rows = await this.select(
      `JOIN LATERAL (
         SELECT l.id FROM unnest($1::text[], $2::int[]) AS w(room_id, from_seq)
           JOIN LATERAL (SELECT x.id FROM messages x
                          WHERE x.room_id = w.room_id AND x.seq > w.from_seq AND x.thread_id IS NULL
                          ORDER BY x.seq DESC LIMIT 1) l ON true
       ) newest ON newest.id = m.id`,
      [memberships.map(({ room }) => room.id), memberships.map(({ member }) => member.historyFromSeq)],
    );
    return new Map(rows.map((message) => [message.roomId, message]));
  }

  private async select(tail: string, parameters: unknown[]): Promise<Message[]> {
    return (await selectMessages(this.dataSource.manager, tail, parameters)).map(messageView);
  }
}

import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Message } from '../contract/views.js';
import type { Membership } from '../rooms/rooms.policy.js';
import { MessageEntity } from './message.entity.js';
import { selectMessages } from './message-rows.repository.js';
import { messageView } from './message.view.js';

/** The pages of a room: each one indexed statement. */
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

  /** Messages with `seq` below `before`, newest first. */
  older(
    { room, member }: Membership,
    threadId: string | undefined,
    before: number,
    limit: number,
  ): Promise<Message[]> {
    return this.select(
      `WHERE m.room_id = $1 AND m.seq > $2 AND m.seq < $3 AND ${timeline(threadId, '$5')} ORDER BY m.seq DESC LIMIT $4`,
      [room.id, member.historyFromSeq, before, limit, ...optional(threadId)],
    );
  }

  /** Messages with `seq` above `after`, oldest first. */
  newer(
    { room, member }: Membership,
    threadId: string | undefined,
    after: number,
    limit: number,
  ): Promise<Message[]> {
    return this.select(
      `WHERE m.room_id = $1 AND m.seq > $2 AND ${timeline(threadId, '$4')} ORDER BY m.seq LIMIT $3`,
      [room.id, Math.max(after, member.historyFromSeq), limit, ...optional(threadId)],
    );
  }

  /**
   * The change log after a position, thread replies included. Ends with the message that passes `bytes`, counted by
   * content and data alone: the rest would be read to be thrown away.
   */
  changedSince(
    { room, member }: Membership,
    since: number,
    { limit, bytes }: { limit: number; bytes: number },
  ): Promise<Message[]> {
    return this.select(
      `JOIN (
         SELECT s.id FROM (
           SELECT c.id, sum(c.size) OVER (ORDER BY c.rev) - c.size AS before FROM (
             SELECT x.id, x.rev, octet_length(x.content) + coalesce(octet_length(x.data::text), 0) AS size
               FROM messages x WHERE x.room_id = $1 AND x.rev > $2 AND x.seq > $3 ORDER BY x.rev LIMIT $4) c) s
          WHERE s.before <= $5
       ) page ON page.id = m.id ORDER BY m.rev`,
      [room.id, since, member.historyFromSeq, limit, bytes],
    );
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

const timeline = (threadId: string | undefined, parameter: string) =>
  threadId === undefined ? 'm.thread_id IS NULL' : `m.thread_id = ${parameter}`;
const optional = (value: string | undefined) => (value === undefined ? [] : [value]);

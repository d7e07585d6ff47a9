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

  /** The change log after a position, thread replies included. */
  changedSince({ room, member }: Membership, since: number, limit: number): Promise<Message[]> {
    return this.select(`WHERE m.room_id = $1 AND m.rev > $2 AND m.seq > $3 ORDER BY m.rev LIMIT $4`, [
      room.id,
      since,
      member.historyFromSeq,
      limit,
    ]);
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

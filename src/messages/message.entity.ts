import { Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';

/**
 * A message in its current state. A deleted one stays as a tombstone with its `seq`, client id and request hash.
 * There are no foreign keys to rooms and users: the writer holds the room's lock and has read the sender, so
 * they would only check the same again for every row.
 */
@Entity('messages')
@Unique('messages_room_seq', ['roomId', 'seq'])
@Unique('messages_client_id', ['senderId', 'clientMessageId'])
@Index('messages_room_rev', ['roomId', 'rev'])
@Index('messages_timeline', ['roomId', 'seq'], { where: '(thread_id IS NULL)' })
@Index('messages_thread', ['threadId', 'seq'], { where: '(thread_id IS NOT NULL)' })
export class MessageEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'messages_pkey' })
  id!: string;

  @Column({ name: 'room_id', type: 'text' })
  roomId!: string;

  @Column({ type: 'integer' })
  seq!: number;

  @Column({ type: 'integer' })
  rev!: number;

  /** `rev` at creation: what the first acknowledgement said. */
  @Column({ name: 'created_rev', type: 'integer' })
  createdRev!: number;

  @Column({ name: 'sender_id', type: 'text' })
  senderId!: string;

  @Column({ name: 'client_message_id', type: 'text', nullable: true })
  clientMessageId!: string | null;

  /** Of the original request, kept only with a client id. */
  @Column({ name: 'request_hash', type: 'text', nullable: true })
  requestHash!: string | null;

  @Column({ type: 'text' })
  type!: string;

  @Column({ type: 'text' })
  content!: string;

  @Column({ type: 'json', nullable: true })
  data!: unknown;

  @Column({ name: 'reply_to', type: 'uuid', nullable: true })
  replyTo!: string | null;

  @Column({ name: 'thread_id', type: 'uuid', nullable: true })
  threadId!: string | null;

  @Column({ name: 'thread_replies', type: 'integer', default: 0 })
  threadReplies!: number;

  @Column({ name: 'thread_last_reply_at', type: 'timestamptz', nullable: true })
  threadLastReplyAt!: Date | null;

  @Column({ type: 'text', array: true, default: () => `'{}'` })
  mentions!: string[];

  @Column({ name: 'pinned_at', type: 'timestamptz', nullable: true })
  pinnedAt!: Date | null;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column({ name: 'edited_at', type: 'timestamptz', nullable: true })
  editedAt!: Date | null;

  @Column({ name: 'deleted_at', type: 'timestamptz', nullable: true })
  deletedAt!: Date | null;

  @Column({ name: 'deleted_by', type: 'text', nullable: true })
  deletedBy!: string | null;

  @Column({ name: 'delete_reason', type: 'text', nullable: true })
  deleteReason!: string | null;
}

import { Column, Entity, PrimaryColumn } from 'typeorm';

/** That a message of a room's timeline mentions a user, or `@room`: what mention counts are derived from. Gone with the message. */
@Entity('mentions')
export class MentionEntity {
  @PrimaryColumn({ name: 'room_id', type: 'text', primaryKeyConstraintName: 'mentions_pkey' })
  roomId!: string;

  @PrimaryColumn({ name: 'user_id', type: 'text', primaryKeyConstraintName: 'mentions_pkey' })
  userId!: string;

  @PrimaryColumn({ type: 'integer', primaryKeyConstraintName: 'mentions_pkey' })
  seq!: number;

  @Column({ name: 'sender_id', type: 'text' })
  senderId!: string;
}

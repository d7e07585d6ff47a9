import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { MessageEntity } from './message.entity.js';

/** One emoji of one user on one message. */
@Entity('reactions')
export class ReactionEntity {
  @PrimaryColumn({ name: 'message_id', type: 'uuid', primaryKeyConstraintName: 'reactions_pkey' })
  messageId!: string;

  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'reactions_pkey' })
  emoji!: string;

  @PrimaryColumn({ name: 'user_id', type: 'text', primaryKeyConstraintName: 'reactions_pkey' })
  userId!: string;

  @ManyToOne(() => MessageEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'message_id', foreignKeyConstraintName: 'reactions_message' })
  message!: MessageEntity;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}

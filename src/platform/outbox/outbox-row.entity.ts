import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** A fact on its way from one feature to another: written with what made it true, deleted with what it leads to. */
@Entity('outbox')
@Index('outbox_next', ['topic', 'id'], { where: '(dead_at IS NULL)' })
// On payload ->> 'messageId' of messages to be decided, which decorators cannot say: the migration makes it, `synchronize: false` keeps it out of the drift check.
@Index('outbox_message', { synchronize: false })
@Index('outbox_dead', ['id'], { where: '(dead_at IS NOT NULL)' })
export class OutboxRowEntity {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'ALWAYS',
    primaryKeyConstraintName: 'outbox_pkey',
  })
  id!: number;

  @Column({ type: 'text' })
  topic!: string;

  @Column({ type: 'json' })
  payload!: object;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  /** How often its consumer has failed on it alone. */
  @Column({ type: 'integer', default: 0 })
  attempts!: number;

  /** Not to be handled before. */
  @Column({ name: 'due_at', type: 'timestamptz', default: () => 'now()' })
  dueAt!: Date;

  /** Given up: stays until an administrator has it tried again. */
  @Column({ name: 'dead_at', type: 'timestamptz', nullable: true })
  deadAt!: Date | null;

  /** What the consumer failed with, without any of the data. */
  @Column({ type: 'text', nullable: true })
  error!: string | null;
}

import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** A fact that every node acts on, written in the transaction that made it true; kept for some minutes. */
@Entity('cluster_commands')
export class ClusterCommandEntity {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'ALWAYS',
    primaryKeyConstraintName: 'cluster_commands_pkey',
  })
  id!: number;

  /** That wrote it, and has acted already. */
  @Column({ type: 'text' })
  node!: string;

  @Column({ type: 'text' })
  topic!: string;

  @Column({ type: 'json' })
  payload!: object;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'clock_timestamp()' })
  createdAt!: Date;
}

import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** One row from the first administrator on, for ever: an installation that loses its administrators is not set up anew by who read its log. */
@Entity('setup')
@Check('setup_one', 'id = 1')
export class SetupEntity {
  @PrimaryColumn({ type: 'integer', default: 1, primaryKeyConstraintName: 'setup_pkey' })
  id!: number;

  @Column({ name: 'done_at', type: 'timestamptz', default: () => 'now()' })
  doneAt!: Date;
}

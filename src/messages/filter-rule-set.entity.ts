import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** All rules together, in one row: its version says whether a set that was read before is still the one in force. */
@Entity('filter_rule_set')
@Check('filter_rule_set_one', 'id = 1')
export class FilterRuleSetEntity {
  @PrimaryColumn({ type: 'integer', default: 1, primaryKeyConstraintName: 'filter_rule_set_pkey' })
  id!: number;

  /** Grows in the transaction of every change of the rules. */
  @Column({ type: 'integer', default: 0 })
  version!: number;
}

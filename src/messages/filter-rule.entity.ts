import { Check, Column, Entity, PrimaryColumn, Unique } from 'typeorm';
import type { FilterAction, FilterKind } from '../contract/moderation.js';

/** A word or a link that messages may not carry, or not unseen. */
@Entity('filter_rules')
@Unique('filter_rules_key', ['kind', 'key'])
@Check('filter_rules_kind', `kind IN ('word', 'link')`)
@Check('filter_rules_action', `action IN ('reject', 'mask', 'flag')`)
export class FilterRuleEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'filter_rules_pkey' })
  id!: string;

  @Column({ type: 'text' })
  kind!: FilterKind;

  /** As it was given. */
  @Column({ type: 'text' })
  pattern!: string;

  /** As it is compared: two spellings of one pattern are one rule. */
  @Column({ type: 'text' })
  key!: string;

  @Column({ type: 'text' })
  action!: FilterAction;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'clock_timestamp()' })
  createdAt!: Date;
}

import { Check, Column, Entity, PrimaryColumn, Unique } from 'typeorm';
import type { RoomHistory, RoomType } from '../contract/views.js';

/**
 * A room and its two counters. The row is the room's lock: whoever takes a `seq` or a `rev`, or changes
 * memberships, holds it `FOR UPDATE`.
 */
@Entity('rooms')
@Unique('rooms_direct_key', ['directKey'])
@Check('rooms_type', `type IN ('public', 'private', 'direct', 'announcement')`)
export class RoomEntity {
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'rooms_pkey' })
  id!: string;

  @Column({ type: 'text' })
  type!: RoomType;

  /** Null for direct rooms, which are named after the other members. */
  @Column({ type: 'text', nullable: true })
  name!: string | null;

  @Column({ type: 'text', nullable: true })
  topic!: string | null;

  @Column({ type: 'text', default: 'full' })
  history!: RoomHistory;

  /** Hash of the set of members of a direct room: there is one room per set. */
  @Column({ name: 'direct_key', type: 'text', nullable: true })
  directKey!: string | null;

  @Column({ name: 'last_seq', type: 'integer', default: 0 })
  lastSeq!: number;

  @Column({ name: 'last_rev', type: 'integer', default: 0 })
  lastRev!: number;

  /** Changes up to here may be missing from the log after a purge; a `since` below it is answered with a reset. */
  @Column({ name: 'min_rev', type: 'integer', default: 0 })
  minRev!: number;

  @Column({ name: 'member_count', type: 'integer', default: 0 })
  memberCount!: number;

  @Column({ name: 'slow_mode_seconds', type: 'integer', default: 0 })
  slowModeSeconds!: number;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'archived_at', type: 'timestamptz', nullable: true })
  archivedAt!: Date | null;

  @Column({ name: 'frozen_at', type: 'timestamptz', nullable: true })
  frozenAt!: Date | null;
}

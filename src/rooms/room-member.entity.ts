import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { MemberRole } from '../contract/views.js';
import { UserEntity } from '../users/user.entity.js';
import { RoomEntity } from './room.entity.js';

/** A membership. It outlives connections and ends only by leaving or being kicked. */
@Entity('room_members')
@Index('room_members_user', ['userId', 'roomId'])
@Index('room_members_notify_all', ['roomId'], { where: `(notify_level = 'all')` })
@Check('room_members_role', `role IN ('owner', 'admin', 'member')`)
@Check('room_members_notify_level', `notify_level IN ('all', 'mentions', 'none')`)
export class RoomMemberEntity {
  @PrimaryColumn({ name: 'room_id', type: 'text', primaryKeyConstraintName: 'room_members_pkey' })
  roomId!: string;

  @PrimaryColumn({ name: 'user_id', type: 'text', primaryKeyConstraintName: 'room_members_pkey' })
  userId!: string;

  @ManyToOne(() => RoomEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'room_id', foreignKeyConstraintName: 'room_members_room' })
  room!: RoomEntity;

  @ManyToOne(() => UserEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'room_members_member' })
  user!: UserEntity;

  @Column({ type: 'text' })
  role!: MemberRole;

  @Column({ name: 'joined_at', type: 'timestamptz', default: () => 'now()' })
  joinedAt!: Date;

  @Column({ name: 'last_read_seq', type: 'integer', default: 0 })
  lastReadSeq!: number;

  /** Counts the moves of `last_read_seq`; with the room's `rev` it makes the version of a read state. */
  @Column({ name: 'read_version', type: 'integer', default: 0 })
  readVersion!: number;

  /** Messages up to here are hidden from this member (rooms with `history: 'since_join'`). */
  @Column({ name: 'history_from_seq', type: 'integer', default: 0 })
  historyFromSeq!: number;

  /** For slow mode. */
  @Column({ name: 'last_sent_at', type: 'timestamptz', nullable: true })
  lastSentAt!: Date | null;

  /** What they want to be notified of here; null: as is usual for the kind of room. */
  @Column({ name: 'notify_level', type: 'text', nullable: true })
  notifyLevel!: 'all' | 'mentions' | 'none' | null;

  @Column({ name: 'notify_muted_until', type: 'timestamptz', nullable: true })
  notifyMutedUntil!: Date | null;
}

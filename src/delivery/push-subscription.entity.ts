import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, Unique } from 'typeorm';
import { UserEntity } from '../users/user.entity.js';

/** A browser that is told by web push. */
@Entity('push_subscriptions')
@Unique('push_subscriptions_endpoint', ['endpoint'])
@Index('push_subscriptions_list', ['userId', 'createdAt', 'id'])
export class PushSubscriptionEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'push_subscriptions_pkey' })
  id!: string;

  @Column({ name: 'user_id', type: 'text' })
  userId!: string;

  @ManyToOne(() => UserEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'push_subscriptions_user' })
  user!: UserEntity;

  /** Whoever knows it may knock there: not shown. */
  @Column({ type: 'text' })
  endpoint!: string;

  /** What the browser lets us encrypt with, both base64url. */
  @Column({ type: 'text' })
  p256dh!: string;

  @Column({ type: 'text' })
  auth!: string;

  @Column({ name: 'user_agent', type: 'text', nullable: true })
  userAgent!: string | null;

  @Column({ name: 'created_at', type: 'timestamptz', precision: 3, default: () => 'clock_timestamp()' })
  createdAt!: Date;

  /** Since when nothing was accepted; null: the last push was, or none was sent. */
  @Column({ name: 'failed_at', type: 'timestamptz', precision: 3, nullable: true })
  failedAt!: Date | null;
}

import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A request for custom notifications, by the key its sender gave it, with what it was answered. Kept for ever. */
@Entity('custom_notifications')
export class CustomNotificationEntity {
  @PrimaryColumn({ name: 'sender_id', type: 'text', primaryKeyConstraintName: 'custom_notifications_pkey' })
  senderId!: string;

  @PrimaryColumn({
    name: 'idempotency_key',
    type: 'text',
    primaryKeyConstraintName: 'custom_notifications_pkey',
  })
  idempotencyKey!: string;

  @Column({ name: 'request_hash', type: 'text' })
  requestHash!: string;

  @Column({ type: 'json', nullable: true })
  answer!: object | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;
}

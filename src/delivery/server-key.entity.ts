import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A key pair of the whole installation, made once by whichever instance needs it first. */
@Entity('server_keys')
export class ServerKeyEntity {
  /** `vapid`. */
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'server_keys_pkey' })
  purpose!: string;

  @Column({ name: 'public_key', type: 'text' })
  publicKey!: string;

  @Column({ name: 'private_key', type: 'text' })
  privateKey!: string;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;
}

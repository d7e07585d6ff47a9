import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

export interface KeyPair {
  publicKey: string;
  privateKey: string;
}

/** The table `server_keys`. */
@Injectable()
export class ServerKeysRepository {
  constructor(private readonly dataSource: DataSource) {}

  async find(purpose: string): Promise<KeyPair | undefined> {
    const [row] = await this.dataSource.query<KeyPair[]>(
      'SELECT public_key AS "publicKey", private_key AS "privateKey" FROM server_keys WHERE purpose = $1',
      [purpose],
    );
    return row;
  }

  /** Of two instances that offer a pair at once, one wins; both go on with what then stands there. */
  async offer(purpose: string, { publicKey, privateKey }: KeyPair): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO server_keys (purpose, public_key, private_key) VALUES ($1, $2, $3)
       ON CONFLICT (purpose) DO NOTHING`,
      [purpose, publicKey, privateKey],
    );
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Where people are told outside the socket: their browsers and their e-mail addresses. */
export class Delivery1764000000006 implements MigrationInterface {
  name = 'Delivery1764000000006';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE push_subscriptions (
        id uuid NOT NULL CONSTRAINT push_subscriptions_pkey PRIMARY KEY,
        user_id text NOT NULL
          CONSTRAINT push_subscriptions_user REFERENCES users (id) ON DELETE CASCADE,
        endpoint text NOT NULL CONSTRAINT push_subscriptions_endpoint UNIQUE,
        p256dh text NOT NULL,
        auth text NOT NULL,
        user_agent text,
        created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
        failed_at timestamptz(3)
      )`);
    await runner.query(
      `CREATE INDEX push_subscriptions_list ON push_subscriptions (user_id, created_at, id)`,
    );
    await runner.query(`
      CREATE TABLE email_addresses (
        user_id text NOT NULL CONSTRAINT email_addresses_pkey PRIMARY KEY
          CONSTRAINT email_addresses_user REFERENCES users (id) ON DELETE CASCADE,
        address text NOT NULL,
        requested_at timestamptz(3) NOT NULL,
        confirmed_at timestamptz(3),
        last_digest_at timestamptz(3)
      )`);
    await runner.query(`
      CREATE TABLE server_keys (
        purpose text NOT NULL CONSTRAINT server_keys_pkey PRIMARY KEY,
        public_key text NOT NULL,
        private_key text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['server_keys', 'email_addresses', 'push_subscriptions'])
      await runner.query(`DROP TABLE ${table}`);
  }
}

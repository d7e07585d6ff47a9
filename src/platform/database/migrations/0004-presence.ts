import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Presence1764000000003 implements MigrationInterface {
  name = 'Presence1764000000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE presence_settings (
        user_id text NOT NULL CONSTRAINT presence_settings_pkey PRIMARY KEY
          CONSTRAINT presence_settings_user REFERENCES users (id) ON DELETE CASCADE,
        status text NOT NULL DEFAULT 'online'
          CONSTRAINT presence_settings_status CHECK (status IN ('online', 'away', 'busy', 'invisible')),
        text text,
        until timestamptz,
        former_status text,
        former_text text,
        version integer NOT NULL DEFAULT 0,
        last_seen_at timestamptz,
        CONSTRAINT presence_settings_former CHECK ((until IS NULL) = (former_status IS NULL))
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE presence_settings');
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';

/** People and their sign-ins. */
export class UsersAndSessions1764000000000 implements MigrationInterface {
  name = 'UsersAndSessions1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE users (
        id text NOT NULL,
        username text NOT NULL,
        username_key text COLLATE "C" NOT NULL,
        name text NOT NULL,
        avatar_url text,
        role text NOT NULL DEFAULT 'user',
        password_hash text,
        tokens_valid_after timestamptz,
        suspended_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT users_pkey PRIMARY KEY (id),
        CONSTRAINT users_username_key UNIQUE (username_key),
        CONSTRAINT users_role CHECK (role IN ('user', 'admin'))
      )`);
    await runner.query(`CREATE INDEX users_name_prefix ON users (lower(name) text_pattern_ops)`);
    await runner.query(`
      CREATE TABLE sessions (
        id text NOT NULL,
        user_id text NOT NULL,
        generation integer NOT NULL DEFAULT 1,
        rotated_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        user_agent text,
        CONSTRAINT sessions_pkey PRIMARY KEY (id),
        CONSTRAINT sessions_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE INDEX sessions_by_user ON sessions (user_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE sessions`);
    await runner.query(`DROP TABLE users`);
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';

/** That there was an administrator once, and whose role another issuer says. */
export class SetupAndRoles1764000000007 implements MigrationInterface {
  name = 'SetupAndRoles1764000000007';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE users ADD role_by_issuer boolean NOT NULL DEFAULT false`);
    await runner.query(`
      CREATE TABLE setup (
        id integer NOT NULL DEFAULT 1 CONSTRAINT setup_pkey PRIMARY KEY CONSTRAINT setup_one CHECK (id = 1),
        done_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query(
      `INSERT INTO setup (id) SELECT 1 WHERE EXISTS (SELECT FROM users WHERE role = 'admin')`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE setup`);
    await runner.query(`ALTER TABLE users DROP role_by_issuer`);
  }
}

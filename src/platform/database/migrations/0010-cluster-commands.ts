import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What every node has to do about its sockets: a membership has ended, a session was revoked. */
export class ClusterCommands1764000000009 implements MigrationInterface {
  name = 'ClusterCommands1764000000009';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE cluster_commands (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT cluster_commands_pkey PRIMARY KEY,
        node text NOT NULL,
        topic text NOT NULL,
        payload json NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp()
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE cluster_commands');
  }
}

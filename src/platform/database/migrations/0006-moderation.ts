import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Mutes and bans, rules about words and links, and the queue of reports. */
export class Moderation1764000000005 implements MigrationInterface {
  name = 'Moderation1764000000005';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE restrictions (
        user_id text NOT NULL CONSTRAINT restrictions_user REFERENCES users (id) ON DELETE CASCADE,
        scope text NOT NULL,
        kind text NOT NULL CONSTRAINT restrictions_kind CHECK (kind IN ('mute', 'ban')),
        until timestamptz(3),
        reason text NOT NULL,
        created_by text NOT NULL,
        created_by_name text NOT NULL,
        by_administrator boolean NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        CONSTRAINT restrictions_pkey PRIMARY KEY (user_id, scope, kind)
      )`);
    await runner.query(`CREATE INDEX restrictions_scope ON restrictions (scope, user_id, kind)`);
    await runner.query(`
      CREATE TABLE filter_rules (
        id uuid NOT NULL CONSTRAINT filter_rules_pkey PRIMARY KEY,
        kind text NOT NULL CONSTRAINT filter_rules_kind CHECK (kind IN ('word', 'link')),
        pattern text NOT NULL,
        key text NOT NULL,
        action text NOT NULL CONSTRAINT filter_rules_action CHECK (action IN ('reject', 'mask', 'flag')),
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        CONSTRAINT filter_rules_key UNIQUE (kind, key)
      )`);
    await runner.query(`
      CREATE TABLE filter_rule_set (
        id integer NOT NULL DEFAULT 1 CONSTRAINT filter_rule_set_pkey PRIMARY KEY
          CONSTRAINT filter_rule_set_one CHECK (id = 1),
        version integer NOT NULL DEFAULT 0
      )`);
    await runner.query(`INSERT INTO filter_rule_set DEFAULT VALUES`);
    await this.createReports(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['reports', 'filter_rule_set', 'filter_rules', 'restrictions'])
      await runner.query(`DROP TABLE ${table}`);
  }

  private async createReports(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE reports (
        id uuid NOT NULL CONSTRAINT reports_pkey PRIMARY KEY,
        message_id uuid NOT NULL,
        room_id text NOT NULL,
        sender_id text NOT NULL,
        content text NOT NULL,
        reason text NOT NULL,
        reported_by text,
        reported_by_name text,
        rule_id uuid,
        status text NOT NULL DEFAULT 'open' CONSTRAINT reports_status CHECK (status IN ('open', 'resolved', 'dismissed')),
        closed_by text,
        closed_by_name text,
        closed_at timestamptz,
        note text,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp()
      )`);
    await runner.query(`CREATE INDEX reports_status_id ON reports (status, id)`);
    await runner.query(`CREATE INDEX reports_room ON reports (room_id, id)`);
    await runner.query(
      `CREATE UNIQUE INDEX reports_open_by_person ON reports (message_id, reported_by) WHERE (status = 'open')`,
    );
    await runner.query(
      `CREATE UNIQUE INDEX reports_open_by_rule ON reports (message_id, rule_id) WHERE (status = 'open')`,
    );
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Facts between features that must not be lost, who may be told of what, and what administrators did. */
export class OutboxAndAudit1764000000002 implements MigrationInterface {
  name = 'OutboxAndAudit1764000000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT outbox_pkey PRIMARY KEY,
        topic text NOT NULL,
        payload json NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        attempts integer NOT NULL DEFAULT 0,
        due_at timestamptz NOT NULL DEFAULT now(),
        dead_at timestamptz,
        error text
      )`);
    await runner.query(`CREATE INDEX outbox_next ON outbox (topic, id) WHERE (dead_at IS NULL)`);
    await runner.query(
      `CREATE INDEX outbox_message ON outbox ((payload ->> 'messageId')) WHERE (topic = 'message.sent')`,
    );
    await runner.query(`CREATE INDEX outbox_dead ON outbox (id) WHERE (dead_at IS NOT NULL)`);
    await runner.query(`
      ALTER TABLE room_members
        ADD notify_level text CONSTRAINT room_members_notify_level CHECK (notify_level IN ('all', 'mentions', 'none')),
        ADD notify_muted_until timestamptz`);
    await runner.query(
      `CREATE INDEX room_members_notify_all ON room_members (room_id) WHERE (notify_level = 'all')`,
    );
    await this.createAuditLog(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE audit_log`);
    await runner.query(`DROP FUNCTION audit_log_append_only`);
    await runner.query(`DROP INDEX room_members_notify_all`);
    await runner.query(`ALTER TABLE room_members DROP notify_level, DROP notify_muted_until`);
    await runner.query(`DROP TABLE outbox`);
  }

  private async createAuditLog(runner: QueryRunner): Promise<void> {
    // Milliseconds, as a cursor and a client carry them.
    await runner.query(`
      CREATE TABLE audit_log (
        id uuid NOT NULL CONSTRAINT audit_log_pkey PRIMARY KEY,
        at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
        actor_id text,
        actor_name text,
        act text NOT NULL,
        target_type text NOT NULL,
        target_id text NOT NULL,
        room_id text,
        reason text,
        request_id text,
        before json,
        after json
      )`);
    await runner.query(`CREATE INDEX audit_log_at ON audit_log (at, id)`);
    await runner.query(`CREATE INDEX audit_log_actor ON audit_log (actor_id, at, id)`);
    await runner.query(`CREATE INDEX audit_log_target ON audit_log (target_id, at, id)`);
    await runner.query(`
      CREATE FUNCTION audit_log_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'audit_log is append-only';
      END $$`);
    await runner.query(`
      CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON audit_log
        FOR EACH STATEMENT EXECUTE FUNCTION audit_log_append_only()`);
  }
}

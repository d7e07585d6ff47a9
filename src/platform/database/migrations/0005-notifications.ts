import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Inboxes, what is in them, why, and announcements. */
export class Notifications1764000000004 implements MigrationInterface {
  name = 'Notifications1764000000004';

  async up(runner: QueryRunner): Promise<void> {
    await this.createInboxes(runner);
    await runner.query(`
      CREATE TABLE notification_decisions (
        message_id uuid NOT NULL,
        user_id text NOT NULL,
        cause text NOT NULL,
        reason text NOT NULL,
        in_app boolean,
        push boolean,
        email boolean,
        notification_id uuid,
        decided_at timestamptz(3) NOT NULL,
        CONSTRAINT notification_decisions_pkey PRIMARY KEY (message_id, user_id)
      )`);
    await runner.query(
      `CREATE INDEX notification_decisions_notification ON notification_decisions (notification_id)
        WHERE (notification_id IS NOT NULL)`,
    );
    await this.createAnnouncements(runner);
    await runner.query(`
      CREATE TABLE custom_notifications (
        sender_id text NOT NULL,
        idempotency_key text NOT NULL,
        request_hash text NOT NULL,
        answer json,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT custom_notifications_pkey PRIMARY KEY (sender_id, idempotency_key)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of [
      'custom_notifications',
      'announcement_states',
      'announcements',
      'notification_decisions',
      'notifications',
      'notification_inboxes',
    ])
      await runner.query(`DROP TABLE ${table}`);
  }

  private async createInboxes(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE notification_inboxes (
        user_id text NOT NULL CONSTRAINT notification_inboxes_pkey PRIMARY KEY
          CONSTRAINT notification_inboxes_user REFERENCES users (id) ON DELETE CASCADE,
        version integer NOT NULL DEFAULT 0,
        seen_version integer NOT NULL DEFAULT 0,
        seen_announcement bigint NOT NULL DEFAULT 0,
        announcements_read_until timestamptz(3),
        kinds json,
        quiet_hours json
      )`);
    await runner.query(`
      CREATE TABLE notifications (
        id uuid NOT NULL CONSTRAINT notifications_pkey PRIMARY KEY,
        user_id text NOT NULL
          CONSTRAINT notifications_inbox REFERENCES notification_inboxes (user_id) ON DELETE CASCADE,
        kind text NOT NULL,
        title text NOT NULL,
        body text NOT NULL,
        room_id text,
        message_id uuid,
        seq integer,
        thread_id uuid,
        actor_id text,
        url text,
        count integer NOT NULL,
        silent boolean NOT NULL,
        grown_version integer NOT NULL,
        created_at timestamptz(3) NOT NULL,
        updated_at timestamptz(3) NOT NULL,
        read_at timestamptz(3),
        archived_at timestamptz(3)
      )`);
    await runner.query(
      `CREATE INDEX notifications_list ON notifications (user_id, created_at, id) WHERE (archived_at IS NULL)`,
    );
    await runner.query(
      `CREATE INDEX notifications_archived ON notifications (user_id, created_at, id) WHERE (archived_at IS NOT NULL)`,
    );
    await runner.query(
      `CREATE INDEX notifications_unread ON notifications (user_id, grown_version) WHERE (read_at IS NULL)`,
    );
    await runner.query(
      `CREATE INDEX notifications_growing ON notifications (user_id, room_id, updated_at) WHERE (read_at IS NULL)`,
    );
    await runner.query(
      `CREATE INDEX notifications_room ON notifications (user_id, room_id, seq)
        WHERE ((read_at IS NULL) AND (thread_id IS NULL))`,
    );
  }

  private async createAnnouncements(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE announcements (
        id uuid NOT NULL CONSTRAINT announcements_pkey PRIMARY KEY,
        serial bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT announcements_serial UNIQUE,
        title text NOT NULL,
        body text NOT NULL,
        from_id text NOT NULL,
        created_at timestamptz(3) NOT NULL
      )`);
    await runner.query(`CREATE INDEX announcements_list ON announcements (created_at, id)`);
    await runner.query(`
      CREATE TABLE announcement_states (
        user_id text NOT NULL
          CONSTRAINT announcement_states_inbox REFERENCES notification_inboxes (user_id) ON DELETE CASCADE,
        announcement_id uuid NOT NULL,
        read_at timestamptz(3) NOT NULL,
        archived_at timestamptz(3),
        CONSTRAINT announcement_states_pkey PRIMARY KEY (user_id, announcement_id)
      )`);
    await runner.query(
      `CREATE INDEX announcement_states_announcement ON announcement_states (announcement_id)`,
    );
  }
}

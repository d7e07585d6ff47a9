import type { MigrationInterface, QueryRunner } from 'typeorm';

export class RoomsAndMessages1764000000001 implements MigrationInterface {
  name = 'RoomsAndMessages1764000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE rooms (
        id text NOT NULL CONSTRAINT rooms_pkey PRIMARY KEY,
        type text NOT NULL CONSTRAINT rooms_type CHECK (type IN ('public', 'private', 'direct', 'announcement')),
        name text,
        topic text,
        history text NOT NULL DEFAULT 'full',
        direct_key text CONSTRAINT rooms_direct_key UNIQUE,
        last_seq integer NOT NULL DEFAULT 0,
        last_rev integer NOT NULL DEFAULT 0,
        min_rev integer NOT NULL DEFAULT 0,
        member_count integer NOT NULL DEFAULT 0,
        slow_mode_seconds integer NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL DEFAULT now(),
        archived_at timestamptz,
        frozen_at timestamptz
      )`);
    await runner.query(`
      CREATE TABLE room_members (
        room_id text NOT NULL CONSTRAINT room_members_room REFERENCES rooms (id) ON DELETE CASCADE,
        user_id text NOT NULL CONSTRAINT room_members_member REFERENCES users (id) ON DELETE CASCADE,
        role text NOT NULL CONSTRAINT room_members_role CHECK (role IN ('owner', 'admin', 'member')),
        joined_at timestamptz NOT NULL DEFAULT now(),
        last_read_seq integer NOT NULL DEFAULT 0,
        read_version integer NOT NULL DEFAULT 0,
        history_from_seq integer NOT NULL DEFAULT 0,
        last_sent_at timestamptz,
        CONSTRAINT room_members_pkey PRIMARY KEY (room_id, user_id)
      )`);
    await runner.query(`CREATE INDEX room_members_user ON room_members (user_id, room_id)`);
    await runner.query(`
      CREATE TABLE messages (
        id uuid NOT NULL CONSTRAINT messages_pkey PRIMARY KEY,
        room_id text NOT NULL,
        seq integer NOT NULL,
        rev integer NOT NULL,
        created_rev integer NOT NULL,
        sender_id text NOT NULL,
        client_message_id text,
        request_hash text,
        type text NOT NULL,
        content text NOT NULL,
        data json,
        reply_to uuid,
        thread_id uuid,
        thread_replies integer NOT NULL DEFAULT 0,
        thread_last_reply_at timestamptz,
        mentions text[] NOT NULL DEFAULT '{}',
        pinned_at timestamptz,
        created_at timestamptz NOT NULL,
        edited_at timestamptz,
        deleted_at timestamptz,
        deleted_by text,
        delete_reason text,
        CONSTRAINT messages_room_seq UNIQUE (room_id, seq),
        CONSTRAINT messages_client_id UNIQUE (sender_id, client_message_id)
      )`);
    await runner.query(`CREATE INDEX messages_timeline ON messages (room_id, seq) WHERE (thread_id IS NULL)`);
    await runner.query(`CREATE INDEX messages_room_rev ON messages (room_id, rev)`);
    await runner.query(
      `CREATE INDEX messages_thread ON messages (thread_id, seq) WHERE (thread_id IS NOT NULL)`,
    );
    await runner.query(`
      CREATE TABLE mentions (
        room_id text NOT NULL,
        user_id text NOT NULL,
        seq integer NOT NULL,
        sender_id text NOT NULL,
        CONSTRAINT mentions_pkey PRIMARY KEY (room_id, user_id, seq)
      )`);
    await runner.query(`
      CREATE TABLE reactions (
        message_id uuid NOT NULL CONSTRAINT reactions_message REFERENCES messages (id) ON DELETE CASCADE,
        emoji text NOT NULL,
        user_id text NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT reactions_pkey PRIMARY KEY (message_id, emoji, user_id)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['reactions', 'mentions', 'messages', 'room_members', 'rooms'])
      await runner.query(`DROP TABLE ${table}`);
  }
}

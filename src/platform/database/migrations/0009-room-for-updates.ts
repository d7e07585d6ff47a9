import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Each message moves its room and its sender's read position. With room left in the page of the row, the new version stays
 * there and no index is touched (HOT). Pages that are full already are left as they are: they get room as they are rewritten.
 */
export class RoomForUpdates1764000000008 implements MigrationInterface {
  name = 'RoomForUpdates1764000000008';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE rooms SET (fillfactor = 70)`);
    await runner.query(`ALTER TABLE room_members SET (fillfactor = 70)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE room_members RESET (fillfactor)`);
    await runner.query(`ALTER TABLE rooms RESET (fillfactor)`);
  }
}

import { DataSource } from 'typeorm';
import type { SendMessage } from '../../src/contract/chat.js';
import type { Message } from '../../src/contract/views.js';
import { MessagesService } from '../../src/messages/messages.service.js';
import type { Actor as Identity } from '../../src/platform/identity/actor.js';
import type { Actor } from './actor.js';
import type { TestServer } from './server.js';

/** What tests of the writer need beside sockets: use cases without throttles, the tables, and what must always hold in them. */
export class WriterFixture {
  private readonly messages: MessagesService;
  private readonly dataSource: DataSource;

  constructor(private readonly server: TestServer) {
    this.messages = server.app.get(MessagesService, { strict: false });
    this.dataSource = server.app.get(DataSource);
  }

  send(actor: Actor, request: SendMessage) {
    return this.messages.send(identity(actor), request);
  }

  sql<Row = Record<string, unknown>>(statement: string, parameters: unknown[] = []): Promise<Row[]> {
    return this.dataSource.query<Row[]>(statement, parameters);
  }

  /** A trigger on new messages; `body` is PL/pgSQL between BEGIN and END. Dropped by the function that is returned. */
  async trigger(body: string): Promise<() => Promise<void>> {
    await this.sql(
      `CREATE OR REPLACE FUNCTION test_fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} RETURN NEW; END $$`,
    );
    await this.sql(
      'CREATE TRIGGER test_fault BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION test_fault()',
    );
    return async () => {
      await this.sql('DROP TRIGGER test_fault ON messages');
    };
  }

  async stored(roomId: string): Promise<{ seq: number; rev: number; content: string; sender_id: string }[]> {
    return this.sql('SELECT seq, rev, content, sender_id FROM messages WHERE room_id = $1 ORDER BY seq', [
      roomId,
    ]);
  }

  /** I4: `seq` is 1..last_seq, and no two messages share a `rev`. */
  async expectNoGaps(): Promise<void> {
    const rooms = await this.sql<{
      id: string;
      last_seq: number;
      last_rev: number;
      seqs: number;
      max_seq: number;
      revs: number;
      max_rev: number;
    }>(
      `SELECT r.id, r.last_seq, r.last_rev, count(m.id)::int AS seqs, coalesce(max(m.seq), 0) AS max_seq,
              count(DISTINCT m.rev)::int AS revs, coalesce(max(m.rev), 0) AS max_rev
         FROM rooms r LEFT JOIN messages m ON m.room_id = r.id GROUP BY r.id`,
    );
    for (const room of rooms) {
      const expected = {
        ...room,
        seqs: room.last_seq,
        max_seq: room.last_seq,
        revs: room.last_seq,
        max_rev: room.last_rev,
      };
      expect(room).toEqual(expected);
    }
  }
}

export function identity(actor: Actor): Identity {
  const { id, username, name, role } = actor.user;
  return { userId: id, username, name, role, expiresAt: Date.now() + 3_600_000 };
}

/** I4 for a receiver: the `rev`s of a room it was told live are 1, 2, 3 ... from where it came in, in this order. */
export function expectGapFreeRevs(actor: Actor, roomId: string): void {
  const revs = actor.inbox.events
    .filter(({ event }) => ['message:new', 'message:updated', 'message:deleted'].includes(event))
    .map(({ payload }) => payload as Message)
    .filter((message) => message.roomId === roomId)
    .map(({ rev }) => rev);
  expect(revs).toEqual(revs.map((_, index) => (revs[0] ?? 0) + index));
}

/** Suites that need a second session or a network in between ask for it: the embedded database has neither. */
export const onPostgres = (): boolean =>
  (JSON.parse(process.env['PARLEY_TEST_RUN'] ?? '{}') as { serverUrl?: string }).serverUrl !== undefined;

import type { ChatCommand, JoinedRoom } from '../../src/contract/chat.js';
import type { Message, SyncPage } from '../../src/contract/views.js';
import { CatchUp, type RoomWire } from './catch-up.js';
import { ParleyError } from './errors.js';
import { RoomLog, type Delivery } from './room-log.js';
import { TIMING } from './timing.js';

const PAGE = 2;
const message = (seq: number, rev = seq): Message => ({
  id: `m${String(seq)}`,
  roomId: 'r',
  seq,
  rev,
  type: 'text',
  sender: { id: 'u1', name: 'Ada' },
  content: `text ${String(seq)}`,
  reactions: [],
  mentions: [],
  createdAt: '2026-01-01T00:00:00.000Z',
});

/** A room of a server that answers in pages of two, and whose answers can be made to fail. */
class Fixture {
  readonly log = new RoomLog();
  readonly asked: { command: ChatCommand; since?: number }[] = [];
  readonly told: Delivery[] = [];
  resets = 0;
  isClosed = false;
  /** The refusal of the next command like this one. */
  fail: (command: ChatCommand, since?: number) => ParleyError | undefined = () => undefined;
  readonly catchUp: CatchUp;

  constructor(readonly messages: Message[]) {
    this.log.start({ rev: 0, lastSeq: 0, messages: [], hasMore: false, excerpts: true });
    this.log.release();
    const wire = {
      send: (command: ChatCommand, payload: { since?: number }) => this.answer(command, payload.since),
      whenReady: () =>
        this.isClosed ? Promise.reject(new ParleyError('CLOSED', 'closed')) : Promise.resolve(),
      userId: () => 'me',
      timing: { ...TIMING, retryBaseMs: 1, retryMaxMs: 2, holeGraceMs: 1 },
    };
    this.catchUp = new CatchUp('r', this.log, wire as unknown as RoomWire, {
      delivered: (deliveries) => this.told.push(...deliveries),
      joined: () => undefined,
      reset: () => (this.resets += 1),
      lost: () => undefined,
    });
  }
  get rev(): number {
    return Math.max(...this.messages.map(({ rev }) => rev));
  }
  get created(): number[] {
    return this.told.filter(({ kind }) => kind === 'created').map(({ message: { seq } }) => seq);
  }
  async ended(): Promise<void> {
    while (this.catchUp.isBusy) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  private answer(command: ChatCommand, since?: number): Promise<JoinedRoom | SyncPage> {
    this.asked.push(since === undefined ? { command } : { command, since });
    const failure = this.fail(command, since);
    if (failure !== undefined) return Promise.reject(failure);
    const page = this.page(since ?? 0);
    if (command !== 'room:join') return Promise.resolve(page);
    const room = { rev: this.rev, lastSeq: this.messages.length, history: 'full' };
    const newest = { messages: this.messages.slice(-PAGE), hasMore: true };
    const joined = { room, ...(since === undefined ? { history: newest } : { sync: page }) };
    return Promise.resolve(joined as unknown as JoinedRoom);
  }
  private page(since: number): SyncPage {
    const all = this.messages.filter(({ rev }) => rev > since).sort((a, b) => a.rev - b.rev);
    const messages = all.slice(0, PAGE);
    return { messages, rev: messages.at(-1)?.rev ?? this.rev, hasMore: all.length > PAGE };
  }
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => message(index + 1));

describe('CatchUp', () => {
  it('gives new messages of several pages in seq order, also when one was edited meanwhile', async () => {
    const room = new Fixture([message(1, 6), message(2), message(3), message(4), message(5)]);
    room.catchUp.rejoin();
    await room.ended();
    expect(room.created).toEqual([1, 2, 3, 4, 5]);
  });

  // An error on the second page ended the catch-up for good: the room was joined again by then, and nobody had told
  // the log how far the server was, so the handle said it was current with everything missed still missing.
  it('goes on with the page that failed, and is behind until it is there', async () => {
    const room = new Fixture(upTo(6));
    let failures = 0;
    room.fail = (_, since) => {
      if (since !== 2 || failures === 2) return undefined;
      failures += 1;
      expect(room.log.isBehind).toBe(true);
      return new ParleyError('INTERNAL', 'a bad moment');
    };
    room.catchUp.rejoin();
    await room.ended();
    expect(failures).toBe(2);
    expect(room.created).toEqual([1, 2, 3, 4, 5, 6]);
    expect(room.log.isBehind).toBe(false);
  });

  it('stays behind when the client is closed between two pages, and goes on when it is back', async () => {
    const room = new Fixture(upTo(4));
    room.fail = (_, since) => {
      room.isClosed = since === 2;
      return room.isClosed ? new ParleyError('CLOSED', 'closed') : undefined;
    };
    room.catchUp.rejoin();
    await room.ended();
    expect(room.log.isBehind).toBe(true);
    room.isClosed = false;
    room.fail = () => undefined;
    room.catchUp.rejoin();
    await room.ended();
    expect(room.created).toEqual([1, 2, 3, 4]);
  });

  // Any error threw all pages away. A room that was 600 pages ahead meets the limit of 600 commands a minute on each
  // run, so its catch-up began again for ever, all of it in memory.
  it('asks for no page twice because another one was refused', async () => {
    const room = new Fixture(upTo(20));
    room.fail = () =>
      room.asked.length % 3 === 0 ? new ParleyError('RATE_LIMITED', 'x', { retryAfterMs: 1 }) : undefined;
    room.catchUp.rejoin();
    await room.ended();
    expect(room.created).toHaveLength(20);
    // Ten pages, each third answer a refusal.
    expect(room.asked).toHaveLength(14);
  });

  // The same room: nobody reads 600 pages of changes one by one.
  it('reads the history afresh when too much was missed, whatever fails on the way', async () => {
    const room = new Fixture(upTo(100));
    let joins = 0;
    room.fail = (command, since) =>
      command === 'room:join' && since === undefined && (joins += 1) === 1
        ? new ParleyError('INTERNAL', 'a bad moment')
        : undefined;
    room.catchUp.rejoin();
    await room.ended();
    expect(room.resets).toBe(1);
    expect(room.told).toEqual([]);
    expect(room.log.rev).toBe(100);
    expect(room.log.messages().map(({ seq }) => seq)).toEqual([99, 100]);
    // 40 pages and the join that failed once.
    expect(room.asked).toHaveLength(42);
  });
});

import fc from 'fast-check';
import type { Message } from '../../src/contract/views.js';
import { RoomLog, type Delivery } from './room-log.js';

const AUTHOR = { id: 'u1', name: 'Ada' };
const message = (seq: number, rev: number, fields: Partial<Message> = {}): Message => ({
  id: `m${String(seq)}`,
  roomId: 'r',
  seq,
  rev,
  type: 'text',
  sender: AUTHOR,
  content: `text ${String(seq)}`,
  reactions: [],
  mentions: [],
  createdAt: '2026-01-01T00:00:00.000Z',
  ...fields,
});
const started = (log: RoomLog, messages: Message[] = [], rev = 0, hasMore = false) => {
  log.start({ rev, lastSeq: messages.at(-1)?.seq ?? 0, messages, hasMore, excerpts: true });
  return log.release();
};
const told = (deliveries: Delivery[]) =>
  deliveries.map(({ kind, message: { seq, rev } }) => `${kind} ${String(seq)}@${String(rev)}`);

describe('RoomLog', () => {
  it('gives events in rev order, holding back what comes too early', () => {
    const log = new RoomLog();
    started(log);
    expect(told(log.receive(message(2, 2)))).toEqual([]);
    expect(log.isBehind).toBe(true);
    expect(told(log.receive(message(1, 1)))).toEqual(['created 1@1', 'created 2@2']);
    expect(log.isBehind).toBe(false);
    expect(told(log.receive(message(2, 2)))).toEqual([]);
    expect(told(log.receive(message(1, 3, { content: 'edited' })))).toEqual(['updated 1@3']);
    expect(log.messages().map((each) => each.content)).toEqual(['edited', 'text 2']);
  });

  it('fills a hole from a sync whose page itself has holes, and gives new messages in seq order', () => {
    const log = new RoomLog();
    started(log);
    log.receive(message(4, 6));
    const page = [
      message(2, 2),
      message(1, 4, { content: 'edited' }),
      message(3, 5, { content: '', deletedAt: 'now' }),
    ];
    expect(told(log.applySync(page, 5))).toEqual([
      'created 1@4',
      'created 2@2',
      'deleted 3@5',
      'created 4@6',
    ]);
    expect(log.rev).toBe(6);
  });

  it('gives nothing between start and release, so that a joiner can attach listeners', () => {
    const log = new RoomLog();
    log.receive(message(3, 3));
    log.start({
      rev: 2,
      lastSeq: 2,
      messages: [message(1, 1), message(2, 2)],
      hasMore: false,
      excerpts: true,
    });
    expect(log.receive(message(4, 4))).toEqual([]);
    expect(told(log.release())).toEqual(['created 3@3', 'created 4@4']);
  });

  it('gives a message that came with the history not a second time when its event comes', () => {
    const log = new RoomLog();
    log.start({
      rev: 1,
      lastSeq: 1,
      messages: [message(1, 1), message(2, 2), message(3, 4)],
      hasMore: false,
      excerpts: true,
    });
    log.release();
    expect(told(log.receive(message(2, 2)))).toEqual([]);
    expect(told(log.receive(message(3, 3)))).toEqual([]);
    expect(told(log.receive(message(3, 4)))).toEqual(['updated 3@4']);
    expect(told(log.receive(message(4, 5)))).toEqual(['created 4@5']);
  });

  it('knows that it is behind from a position alone', () => {
    const log = new RoomLog();
    started(log, [message(1, 1)], 1);
    log.heard(3);
    expect(log.isBehind).toBe(true);
    log.applySync([message(2, 3)], 3);
    expect(log.isBehind).toBe(false);
  });

  it('refreshes the excerpts of loaded replies when their target changes or goes', () => {
    const log = new RoomLog();
    const reply = message(2, 2, { replyTo: { id: 'm1', seq: 1, excerpt: 'text 1' } });
    started(log, [message(1, 1), reply], 2);
    log.receive(message(1, 3, { content: '𝒂'.repeat(200) }));
    expect(log.get('m2')?.replyTo?.excerpt).toBe('𝒂'.repeat(140));
    const list = log.messages();
    log.receive(message(1, 4, { content: '', deletedAt: 'now' }));
    expect(log.get('m2')?.replyTo?.excerpt).toBe('');
    expect(log.messages()).not.toBe(list);
  });

  it('refreshes excerpts from a target that is not loaded, and never in rooms that show none', () => {
    const reply = message(9, 2, { replyTo: { id: 'm1', seq: 1, excerpt: '' } });
    const log = new RoomLog();
    started(log, [reply], 9, true);
    log.receive(message(1, 10, { content: 'changed' }));
    expect(log.get('m9')?.replyTo?.excerpt).toBe('changed');
    expect(log.get('m1')).toBeUndefined();

    log.start({ rev: 9, lastSeq: 9, messages: [reply], hasMore: true, excerpts: false });
    log.release();
    log.receive(message(1, 10, { content: 'changed' }));
    expect(log.get('m9')?.replyTo?.excerpt).toBe('');
  });

  it('extends the list by a page that joins on, and leaves it whole by one that does not', () => {
    const log = new RoomLog();
    started(log, [message(8, 8), message(9, 9)], 9, true);
    expect(log.merge({ messages: [message(2, 2), message(3, 3)], hasMore: true }, 4)).toBe(false);
    expect(log.messages().map(({ seq }) => seq)).toEqual([8, 9]);
    expect(log.merge({ messages: [message(6, 6), message(7, 7)], hasMore: true }, 8)).toBe(true);
    expect(log.messages().map(({ seq }) => seq)).toEqual([6, 7, 8, 9]);
    expect(log.covers(6)).toBe(true);
    expect(log.covers(5)).toBe(false);
  });

  it('keeps thread replies in lists of their own', () => {
    const log = new RoomLog();
    started(log, [message(1, 1)], 3);
    log.receive(message(4, 4, { threadId: 'm1' }));
    expect(log.messages().map(({ seq }) => seq)).toEqual([1]);
    log.merge(
      { messages: [message(2, 2, { threadId: 'm1' }), message(4, 4, { threadId: 'm1' })], hasMore: false },
      undefined,
      'm1',
    );
    expect(log.messages('m1').map(({ seq }) => seq)).toEqual([2, 4]);
    expect(log.loadedFrom('m1')).toBe(0);
  });

  it('forgets the oldest messages of a room that runs for long', () => {
    const log = new RoomLog();
    started(log);
    for (let seq = 1; seq <= 3000; seq += 1) log.receive(message(seq, seq));
    const list = log.messages();
    expect(list.length).toBeLessThanOrEqual(1200);
    expect(list.at(-1)?.seq).toBe(3000);
    expect(log.loadedFrom()).toBe(list[0]?.seq);
  });

  it('begins afresh after a reset, also below its old position', () => {
    const log = new RoomLog();
    started(log, [message(1, 1)], 50);
    expect(started(log, [message(1, 1), message(2, 2)], 2)).toEqual([]);
    expect(log.isBehind).toBe(false);
    expect(told(log.receive(message(3, 3)))).toEqual(['created 3@3']);
  });
});

/** A room on the server: applies writes, keeps every event it would have sent, answers `room:sync`. */
class ModelRoom {
  rev = 0;
  readonly messages: Message[] = [];
  readonly events: Message[] = [];

  write(kind: 'create' | 'edit' | 'delete' | 'react', pick: number): void {
    this.rev += 1;
    const target = kind === 'create' ? undefined : this.messages[pick % Math.max(1, this.messages.length)];
    const next = target === undefined ? this.created(pick) : { ...changed(target, kind), rev: this.rev };
    this.messages[next.seq - 1] = next;
    this.events.push(this.read(next));
  }
  /** Excerpts are derived when read, as the server does. */
  read(stored: Message): Message {
    if (stored.replyTo === undefined) return stored;
    const target = this.messages[stored.replyTo.seq - 1];
    return {
      ...stored,
      replyTo: { ...stored.replyTo, excerpt: target?.deletedAt === undefined ? (target?.content ?? '') : '' },
    };
  }
  history(limit: number) {
    const main = this.messages.filter(({ threadId }) => threadId === undefined);
    return { messages: main.slice(-limit).map((each) => this.read(each)), hasMore: main.length > limit };
  }
  sync(since: number, limit: number) {
    const all = this.messages.filter(({ rev }) => rev > since).sort((a, b) => a.rev - b.rev);
    const messages = all.slice(0, limit).map((each) => this.read(each));
    const hasMore = all.length > limit;
    return { messages, hasMore, rev: hasMore ? (messages.at(-1)?.rev ?? since) : this.rev };
  }
  private created(pick: number): Message {
    const seq = this.messages.length + 1;
    const other = this.messages[pick % Math.max(1, this.messages.length)];
    const created = message(seq, this.rev);
    if (other !== undefined && pick % 3 === 1)
      created.replyTo = { id: other.id, seq: other.seq, excerpt: '' };
    if (other !== undefined && other.threadId === undefined && pick % 5 === 2) created.threadId = other.id;
    return created;
  }
}
function changed(target: Message, kind: 'create' | 'edit' | 'delete' | 'react'): Message {
  if (target.deletedAt !== undefined) return target;
  if (kind === 'delete') return { ...target, content: '', reactions: [], deletedAt: 'now' };
  if (kind === 'edit') return { ...target, content: `${target.content}!` };
  const count = (target.reactions[0]?.count ?? 0) + 1;
  return { ...target, reactions: [{ emoji: '👍', count, userIds: [] }] };
}

const write = fc.record({
  do: fc.constant('write' as const),
  kind: fc.constantFrom(
    'create' as const,
    'create' as const,
    'edit' as const,
    'delete' as const,
    'react' as const,
  ),
  pick: fc.nat(30),
});
/** An event that was sent arrives, perhaps again; those never picked are lost. */
const arrive = fc.record({ do: fc.constant('arrive' as const), pick: fc.nat(60) });
/** A sync reads its pages, with writes and arrivals between them, before its result is applied. */
const sync = fc.record({ do: fc.constant('sync' as const), limit: fc.integer({ min: 1, max: 4 }) });
const older = fc.record({ do: fc.constant('older' as const), limit: fc.integer({ min: 1, max: 5 }) });
const step = fc.oneof(
  { weight: 5, arbitrary: write },
  { weight: 8, arbitrary: arrive },
  { weight: 1, arbitrary: sync },
  { weight: 1, arbitrary: older },
);

describe('RoomLog under any interleaving, duplication and loss', () => {
  it('ends in the state of the server and gives each message once, in order', () => {
    fc.assert(
      fc.property(
        fc.array(write, { maxLength: 12 }),
        fc.integer({ min: 1, max: 6 }),
        fc.array(step, { maxLength: 80 }),
        (past, page, steps) => {
          const room = new ModelRoom();
          for (const { kind, pick } of past) room.write(kind, pick);
          const log = new RoomLog();
          const deliveries: Delivery[] = [];
          const before = room.messages.length;
          log.start({ rev: room.rev, lastSeq: before, ...room.history(page), excerpts: true });
          deliveries.push(...log.release());
          const firstEvent = room.events.length;
          let open: { since: number; limit: number; messages: Message[] } | undefined;
          const advance = () => {
            if (open === undefined) return false;
            const answer = room.sync(open.since, open.limit);
            open.messages.push(...answer.messages);
            open.since = answer.rev;
            if (answer.hasMore) return true;
            deliveries.push(...log.applySync(open.messages, answer.rev));
            open = undefined;
            return false;
          };

          for (const each of steps) {
            if (each.do === 'write') room.write(each.kind, each.pick);
            else if (each.do === 'arrive') {
              const sent = room.events.slice(firstEvent);
              const event = sent[each.pick % Math.max(1, sent.length)];
              if (event !== undefined) deliveries.push(...log.receive(event));
            } else if (each.do === 'older') {
              const floor = log.loadedFrom();
              const below = room.messages.filter(
                ({ seq, threadId }) => threadId === undefined && seq < (floor ?? 0),
              );
              if (floor !== 0)
                log.merge(
                  {
                    messages: below.slice(-each.limit).map((one) => room.read(one)),
                    hasMore: below.length > each.limit,
                  },
                  floor,
                );
            } else {
              open ??= { since: log.rev, limit: each.limit, messages: [] };
              advance();
            }
          }
          while (advance());
          // The position check finds what is still missing.
          log.heard(room.rev);
          if (log.isBehind) {
            open = { since: log.rev, limit: 3, messages: [] };
            while (advance());
          }

          expect(log.rev).toBe(room.rev);
          expect(log.isBehind).toBe(false);
          const floor = log.loadedFrom() ?? 0;
          const expected = room.messages
            .filter(({ seq, threadId }) => threadId === undefined && seq >= floor)
            .map((one) => room.read(one));
          expect(log.messages()).toEqual(expected);

          const given = deliveries
            .filter(({ kind }) => kind === 'created')
            .map(({ message: { seq } }) => seq);
          expect(given).toEqual([...new Set(given)].sort((a, b) => a - b));
          const gone = new Set(
            deliveries.filter(({ kind }) => kind === 'deleted').map(({ message: { seq } }) => seq),
          );
          for (const { seq } of room.messages)
            if (seq > before && !gone.has(seq)) expect(given).toContain(seq);
          // An application that keeps its own copy from the events alone has the same.
          const copy = new Map(deliveries.map(({ message: one }) => [one.id, one]));
          for (const [id, one] of copy)
            expect(one.rev).toBe(room.messages.find((stored) => stored.id === id)?.rev);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

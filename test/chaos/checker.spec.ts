import { check } from './checker.js';
import { History, type FinalRoom } from './history.js';
import { Random } from './random.js';

/** A run in which all went well: three processes send to two rooms, retry now and then, and see everything. */
function goodRun(seed: number): { history: History; rooms: FinalRoom[] } {
  const random = new Random(seed);
  const history = new History();
  const processes = ['p1', 'p2', 'p3'];
  const rooms: FinalRoom[] = ['red', 'blue'].map((roomId) => ({ roomId, lastSeq: 0, rev: 0, messages: [] }));
  for (let index = 0; index < 60; index++) {
    const process = random.of(processes);
    const room = random.of(rooms);
    const { roomId } = room;
    const request = {
      process,
      epoch: 1,
      senderId: `user-${process}`,
      roomId,
      clientMessageId: `c${index}`,
      content: `text ${index}`,
    };
    const attempt = history.invoke(request);
    const fate = random.next();
    if (fate < 0.1) {
      history.add({ kind: 'fail', op: attempt, code: 'FORBIDDEN' });
      continue;
    }
    const message = {
      id: `m${index}`,
      seq: ++room.lastSeq,
      rev: ++room.rev,
      content: request.content,
      clientMessageId: request.clientMessageId,
      sender: { id: request.senderId, name: process },
    };
    room.messages.push(message);
    for (const receiver of processes) {
      history.add({ kind: 'live', process: receiver, epoch: 1, roomId, rev: message.rev });
      history.add({
        kind: 'deliver',
        process: receiver,
        roomId,
        id: message.id,
        seq: message.seq,
        rev: message.rev,
        content: message.content,
      });
    }
    const result = { messageId: message.id, seq: message.seq, rev: message.rev };
    if (fate < 0.3) {
      history.add({ kind: 'info', op: attempt, reason: 'lost' });
      history.add({ kind: 'ok', op: history.invoke(request), ...result, deduplicated: true });
    } else {
      history.add({ kind: 'ok', op: attempt, ...result, deduplicated: false });
    }
  }
  for (const process of processes)
    for (const { roomId, rev } of rooms) history.add({ kind: 'current', process, roomId, rev });
  return { history, rooms };
}

/** A fault planted at a place that differs from seed to seed, and what has to be found. */
const FAULTS: Record<
  string,
  { expected: string[]; plant: (run: ReturnType<typeof goodRun>, random: Random) => void }
> = {
  'an acknowledged message that is lost': {
    expected: ['I1', 'I4'],
    plant: ({ rooms }, random) => {
      const { messages } = random.of(rooms);
      messages.splice(messages.indexOf(random.of(messages)), 1);
    },
  },
  'an acknowledged message that is lost, its seq given to the next': {
    expected: ['I1'],
    plant: ({ rooms }, random) => {
      const room = random.of(rooms);
      const lost = random.of(room.messages);
      room.messages = room.messages
        .filter((message) => message !== lost)
        .map((message) =>
          message.seq < lost.seq ? message : { ...message, seq: message.seq - 1, rev: message.rev - 1 },
        );
      room.lastSeq -= 1;
      room.rev -= 1;
    },
  },
  'a message that is there twice': {
    expected: ['I2'],
    plant: ({ rooms }, random) => {
      const room = random.of(rooms);
      room.messages.push({ ...random.of(room.messages), id: 'twin', seq: ++room.lastSeq, rev: ++room.rev });
    },
  },
  'a message that an application is given twice': {
    expected: ['I2', 'I3'],
    plant: ({ history }, random) => {
      const delivery = random.of(history.entries.filter(({ kind }) => kind === 'deliver'));
      history.entries.splice(history.entries.indexOf(delivery), 0, delivery);
    },
  },
  'two messages that changed places in the room': {
    expected: ['I1', 'I3'],
    plant: ({ rooms }, random) => {
      const { messages } = random.of(rooms);
      const at = Math.floor(random.between(0, messages.length - 1));
      const [one, other] = [messages[at]!, messages[at + 1]!];
      messages[at] = { ...other, seq: one.seq, rev: one.rev };
      messages[at + 1] = { ...one, seq: other.seq, rev: other.rev };
    },
  },
  'two messages that one application was given in the wrong order': {
    expected: ['I3'],
    plant: ({ history }, random) => {
      const { entries } = history;
      const mine = entries.filter(
        (entry) => entry.kind === 'deliver' && entry.process === 'p2' && entry.roomId === 'red',
      );
      const at = Math.floor(random.between(0, mine.length - 1));
      const [one, other] = [entries.indexOf(mine[at]!), entries.indexOf(mine[at + 1]!)];
      [entries[one], entries[other]] = [entries[other]!, entries[one]!];
    },
  },
  'a hole in the seq of a room': {
    expected: ['I4'],
    plant: ({ rooms }, random) => {
      const room = random.of(rooms);
      room.messages.push({
        ...room.messages[0]!,
        id: 'after',
        clientMessageId: 'after',
        seq: room.lastSeq + 2,
        rev: room.rev + 1,
      });
      room.lastSeq += 2;
      room.rev += 1;
    },
  },
  'a hole in the live events': {
    expected: ['I4'],
    plant: ({ history }, random) => {
      const live = history.entries.filter(
        (entry) => entry.kind === 'live' && entry.process === 'p1' && entry.roomId === 'blue',
      );
      history.entries.splice(
        history.entries.indexOf(live[Math.floor(random.between(1, live.length - 1))]!),
        1,
      );
    },
  },
  'a refused message that is there': {
    expected: ['I5'],
    plant: ({ history, rooms }) => {
      const room = rooms[0]!;
      const request = {
        process: 'p1',
        epoch: 1,
        senderId: 'user-p1',
        roomId: room.roomId,
        clientMessageId: 'refused',
        content: 'no',
      };
      history.add({ kind: 'fail', op: history.invoke(request), code: 'FORBIDDEN' });
      room.messages.push({
        id: 'x',
        seq: ++room.lastSeq,
        rev: ++room.rev,
        content: 'no',
        clientMessageId: 'refused',
        sender: { id: 'user-p1', name: '' },
      });
    },
  },
  'a message nobody sent': {
    expected: ['I5'],
    plant: ({ rooms }) => {
      const room = rooms[0]!;
      room.messages.push({
        id: 'x',
        seq: ++room.lastSeq,
        rev: ++room.rev,
        content: 'boo',
        clientMessageId: 'boo',
        sender: { id: 'user-p1', name: '' },
      });
    },
  },
  'a later message that stands before an acknowledged one': {
    expected: ['I6'],
    plant: ({ history }) => {
      const oks = history.entries.filter((entry) => entry.kind === 'ok' && !entry.deduplicated);
      const last = oks.at(-1)!;
      if (last.kind === 'ok') last.seq = 1;
    },
  },
  'pipelined sends that overtook each other': {
    expected: ['I7'],
    plant: ({ history, rooms }) => {
      const room = rooms[0]!;
      const ops = ['first', 'second'].map((clientMessageId) =>
        history.invoke({
          process: 'p1',
          epoch: 1,
          senderId: 'user-p1',
          roomId: room.roomId,
          clientMessageId,
          content: clientMessageId,
        }),
      );
      for (const [index, clientMessageId] of ['second', 'first'].entries()) {
        const place = { seq: ++room.lastSeq, rev: ++room.rev };
        room.messages.push({
          id: clientMessageId,
          ...place,
          content: clientMessageId,
          clientMessageId,
          sender: { id: 'user-p1', name: '' },
        });
        history.add({
          kind: 'ok',
          op: ops[1 - index]!,
          messageId: clientMessageId,
          ...place,
          deduplicated: false,
        });
      }
    },
  },
  'a message that a resumed client was never given': {
    expected: ['I8'],
    plant: ({ history }, random) => {
      const mine = history.entries.filter((entry) => entry.kind === 'deliver' && entry.process === 'p3');
      history.entries.splice(history.entries.indexOf(random.of(mine)), 1);
    },
  },
};

describe('the checker', () => {
  const seeds = [1, 2, 3, 4, 5, 6, 7, 8];

  it.each(seeds)('finds nothing in a good run (seed %i)', (seed) => {
    const { history, rooms } = goodRun(seed);
    expect(history.count('ok')).toBeGreaterThan(20);
    expect(check(history.entries, rooms)).toEqual([]);
  });

  it('takes a reset for an honest new start', () => {
    const { history, rooms } = goodRun(1);
    const { roomId, messages } = rooms[0]!;
    history.add({ kind: 'reset', process: 'p1', roomId });
    for (const { id, seq, rev, content } of messages)
      history.add({ kind: 'deliver', process: 'p1', roomId, id, seq, rev, content });
    expect(check(history.entries, rooms)).toEqual([]);
  });

  describe.each(Object.entries(FAULTS))('catches %s', (_, { expected, plant }) => {
    it.each(seeds)('seed %i', (seed) => {
      const run = goodRun(seed);
      plant(run, new Random(seed));
      const found = new Set(check(run.history.entries, run.rooms).map(({ invariant }) => invariant));
      expect([...found]).toEqual(expect.arrayContaining(expected));
    });
  });
});

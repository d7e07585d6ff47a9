import { causesOf, type CausingMessage, type Surroundings } from './message-causes.js';

const message: CausingMessage = {
  id: 'm',
  roomId: 'r',
  roomType: 'public',
  seq: 10,
  senderId: 'author',
  mentions: [],
  replyAuthorId: null,
  threadId: null,
  rootAuthorId: null,
};
const nobody: Surroundings = {
  repliers: new Map(),
  audience: new Map(),
  reached: new Map(),
  roomLimit: 2,
};
const causes = (changes: Partial<CausingMessage>, around: Partial<Surroundings> = {}) =>
  Object.fromEntries(causesOf({ ...message, ...changes }, { ...nobody, ...around }));

describe('the causes of a message', () => {
  it('are none for most', () => {
    expect(causes({}, { audience: new Map([['elsewhere', ['a']]]) })).toEqual({});
  });

  it('are taken in order, the first that applies', () => {
    const everybody = ['a', 'b', 'c', 'd', 'e', 'f', 'author'];
    const found = causes(
      { mentions: ['a', '@room'], replyAuthorId: 'c', threadId: 't', rootAuthorId: 'd' },
      {
        reached: new Map([['m', ['a', 'b']]]),
        repliers: new Map([
          [
            't',
            new Map([
              ['c', 1],
              ['e', 9],
            ]),
          ],
        ]),
        audience: new Map([['r', everybody]]),
      },
    );
    expect(found).toEqual({
      a: 'mention',
      b: 'room_mention',
      author: 'room_mention',
      c: 'reply',
      d: 'thread',
      e: 'thread',
      f: 'message',
    });
  });

  it('reach with @room as many others as the server allows, in the order given', () => {
    const reached = new Map([['m', ['a', 'author', 'b', 'c']]]);
    expect(causes({ mentions: ['@room'] }, { reached })).toEqual({
      author: 'room_mention',
      a: 'room_mention',
      b: 'room_mention',
    });
  });

  it('are of those who replied in the thread before', () => {
    const repliers = new Map([
      [
        't',
        new Map([
          ['early', 3],
          ['author', 10],
          ['late', 11],
        ]),
      ],
    ]);
    expect(causes({ threadId: 't', rootAuthorId: 'root' }, { repliers })).toEqual({
      root: 'thread',
      early: 'thread',
    });
  });

  it('are of all members in a direct room, whatever their level', () => {
    const audience = new Map([['r', ['author', 'a']]]);
    expect(causes({ roomType: 'direct' }, { audience })).toEqual({ author: 'direct', a: 'direct' });
  });
});

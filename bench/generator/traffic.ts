/** What clients send, and what their receivers are to get for it. */
export interface Traffic {
  command: string;
  /** `stored` messages are in the room that is read. */
  payload(id: number, roomId: string, stored: number): string;
  /** Nothing: the command is only answered. */
  delivery?: {
    event: string;
    /** Several of them in one frame, where the client asked for that; each has the mark once. */
    batch?: string;
    /** Stands in front of the content, which begins with the number of the message in `ID_DIGITS` digits. */
    mark: Buffer;
  };
}

export const ID_DIGITS = 10;

/** 100 characters of ASCII that begin with the number of the message. */
function content(id: number): string {
  return String(id).padStart(ID_DIGITS, '0') + FILLER;
}
const FILLER =
  ' Shall we meet at the station at seven, or is it better to go there on our own this time? '.slice(
    0,
    100 - ID_DIGITS,
  );
/** Numbers begin anew with each generator, ids of messages must not. */
const RUN = Date.now().toString(36);

export const TRAFFIC = {
  /** As the client library sends it: with an id of its own, so that a repetition is recognised. */
  message: {
    command: 'message:send',
    payload: (id, roomId) =>
      `{"roomId":"${roomId}","content":"${content(id)}","clientMessageId":"${RUN}-${id}"}`,
    delivery: { event: 'message:new', batch: 'message:batch', mark: Buffer.from('"content":"') },
  },
  /** The peers know no such id. */
  plainMessage: {
    command: 'message:send',
    payload: (id, roomId) => `{"roomId":"${roomId}","content":"${content(id)}"}`,
    delivery: { event: 'message:new', mark: Buffer.from('"content":"') },
  },
  /** Stored nowhere. Each of its own kind: of one kind only the newest would be passed on when there are many. */
  signal: {
    command: 'room:signal',
    payload: (id, roomId) => `{"roomId":"${roomId}","kind":"k${id}","data":"${content(id)}"}`,
    delivery: { event: 'room:signal', mark: Buffer.from('"data":"') },
  },
  /** Needs no database, and has nothing to check. */
  activity: { command: 'presence:activity', payload: () => '{}' },
  plainActivity: { command: 'event:answer', payload: () => '{}' },
  /** Needs no database; each of the ids is checked. */
  unwatch: { command: 'presence:unwatch', payload: userIds },
  plainUnwatch: { command: 'event:answer', payload: userIds },
  historyLast: { command: 'message:history', payload: (_id, roomId) => `{"roomId":"${roomId}"}` },
  historyMiddle: {
    command: 'message:history',
    payload: (_id, roomId, stored) => `{"roomId":"${roomId}","before":${51 + anyOf(stored - 51)}}`,
  },
  syncAnywhere: {
    command: 'room:sync',
    payload: (_id, roomId, stored) => `{"roomId":"${roomId}","since":${anyOf(stored - 500)}}`,
  },
  syncHead: {
    command: 'room:sync',
    payload: (_id, roomId, stored) => `{"roomId":"${roomId}","since":${stored - 20}}`,
  },
  roomList: { command: 'room:list', payload: () => '{}' },
  memberList: {
    command: 'room:members',
    payload: (_id, roomId) => `{"roomId":"${roomId}","cursor":"user-${anyOf(9)}"}`,
  },
} satisfies Record<string, Traffic>;

function userIds(): string {
  return '{"userIds":["user-1","user-2","user-3","user-4","user-5"]}';
}

function anyOf(count: number): number {
  return Math.floor(Math.random() * Math.max(1, count));
}

export type TrafficName = keyof typeof TRAFFIC;

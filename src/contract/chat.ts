/**
 * `/chat`: rooms and messages. For each command its payload, and what a successful acknowledgement carries beside
 * `status: 'ok'`. Every command of every namespace can be refused with VALIDATION_FAILED, RATE_LIMITED, TOKEN_EXPIRED,
 * SESSION_REVOKED, INTERNAL and UNAVAILABLE; further codes stand with the command. A room that is private or direct
 * answers NOT_FOUND to people who are not in it. What writes into a room is refused with MUTED or BANNED where a
 * moderator has said so.
 */
import type { SessionLimits } from './limits.js';
import { SESSION_EVENTS, type SessionCommands, type SessionEvents } from './session.js';
import type {
  MemberRole,
  Member,
  Message,
  ReadState,
  Room,
  RoomHistory,
  RoomSummary,
  RoomType,
  SyncPage,
} from './views.js';

export interface JoinRoom {
  roomId: string;
  /** Given: a room that does not exist is created, public, under this name. 1 to 100 characters. */
  roomName?: string;
  /** Given: the ack carries the sync page after this `rev` instead of the history. */
  since?: number;
}
/** What a joining socket gets: it is subscribed before `history` or `sync` is read, so nothing falls between. */
export interface JoinedRoom {
  room: Room;
  readState: ReadState;
  history?: { messages: Message[]; hasMore: boolean };
  sync?: SyncPage;
}

export interface RoomRef {
  roomId: string;
}
export interface CreateRoom {
  /** `[A-Za-z0-9_-]{1,64}`; made by the server when absent. Taken: CONFLICT. Not for direct rooms. */
  roomId?: string;
  /** 1 to 100 characters; needed except for direct rooms, which have none. */
  name?: string;
  type: RoomType;
  /** At most 100; for a direct room 1 to 9 others. */
  memberIds?: string[];
  /** Default `full`. */
  history?: RoomHistory;
}
export interface ListRooms {
  cursor?: string;
}
export interface ListMembers {
  roomId: string;
  cursor?: string;
}
export interface InviteMember {
  roomId: string;
  userId: string;
  /** Default `member`; `admin` and `owner` need `room:role`. */
  role?: MemberRole;
}
export interface KickMember {
  roomId: string;
  userId: string;
}
export interface SetMemberRole {
  roomId: string;
  userId: string;
  role: MemberRole;
}
export interface UpdateRoom {
  roomId: string;
  name?: string;
  /** An empty string removes it. */
  topic?: string;
  /** 0 to 21,600; 0 is off. */
  slowModeSeconds?: number;
  archived?: boolean;
}
export interface SyncRoom {
  roomId: string;
  since: number;
  /** 1 to 500, default 500. A page also ends at 256 kB. */
  limit?: number;
}
export interface RoomPositions {
  /** At most 500. */
  roomIds: string[];
}
export interface SendSignal {
  roomId: string;
  /** `[A-Za-z0-9_.:-]{1,64}`, chosen by the application. */
  kind: string;
  /** At most 8 kB as JSON. */
  data: unknown;
}

export interface SendMessage {
  roomId: string;
  /** 1 to 5,000 code points after trimming; may be empty for an `x-...` type with `data`. */
  content: string;
  /** `text` (default), or an application's own `x-...` type. */
  type?: string;
  /** At most 8 kB as JSON; only with an `x-...` type. */
  data?: unknown;
  /** 1 to 64 characters, unique per sender for ever: the same id with the same request returns the first result. */
  clientMessageId?: string;
  /** Id of a message of the same room. */
  replyTo?: string;
  /** Id of the root message, of the same room, that is not itself in a thread. */
  threadId?: string;
  /** User ids of members, or `@room` (needs `message:mention-room`). At most 50. */
  mentions?: string[];
}
/** The first result of a send; the same for every repetition of it, with `deduplicated: true`. */
export interface SentMessage {
  messageId: string;
  seq: number;
  /** The room's change counter at creation. */
  rev: number;
  createdAt: string;
  deduplicated: boolean;
}
export interface EditMessage {
  messageId: string;
  content: string;
}
export interface DeleteMessage {
  messageId: string;
  /** At most 500 characters. */
  reason?: string;
}
export interface ReactToMessage {
  messageId: string;
  /** 1 to 32 characters: an emoji or a `:shortcode:`, no white space. */
  emoji: string;
  on: boolean;
}
export interface PinMessage {
  messageId: string;
  on: boolean;
}
/** Exactly one of `seq` and `messageId`. Never moves back. */
export interface ReadMessage {
  roomId: string;
  seq?: number;
  messageId?: string;
}
/** At most one of `before`, `after` and `around`; without one the newest messages. Answers are in `seq` order. */
export interface ReadHistory {
  roomId: string;
  /** Only the replies of this thread. Without it: the room without thread replies. */
  threadId?: string;
  before?: number;
  after?: number;
  around?: number;
  /** 1 to 100, default 50. */
  limit?: number;
}
export interface HistoryPage {
  messages: Message[];
  /** More in the direction that was asked for (`around`: in either). */
  hasMore: boolean;
}
export interface Typing {
  roomId: string;
  threadId?: string;
}
type Nothing = Record<never, never>;

export interface ChatCommands extends SessionCommands {
  /** Membership and subscription. NOT_FOUND, FORBIDDEN, LIMIT_EXCEEDED. Without a callback the answer comes as `room:joined`, `room:history`, `room:members`. */
  'room:join': { payload: JoinRoom; result: JoinedRoom };
  /** Ends the membership. The last owner hands over first: CONFLICT. Direct rooms cannot be left: FORBIDDEN. */
  'room:leave': { payload: RoomRef; result: Nothing };
  /** `direct` returns the existing room of the same people. CONFLICT, NOT_FOUND (a user), FORBIDDEN. */
  'room:create': { payload: CreateRoom; result: { room: Room } };
  /** The rooms one is a member of, by room id, 50 a page. */
  'room:list': { payload: ListRooms; result: { rooms: RoomSummary[]; cursor?: string } };
  /** 100 a page, by user id. NOT_A_MEMBER. */
  'room:members': { payload: ListMembers; result: { members: Member[]; cursor?: string } };
  /** Adding someone who is a member already changes nothing. NOT_FOUND, FORBIDDEN. */
  'room:invite': { payload: InviteMember; result: Nothing };
  /** NOT_FOUND (no such member), FORBIDDEN. */
  'room:kick': { payload: KickMember; result: Nothing };
  /** Giving `owner` adds an owner. The last owner cannot step down: CONFLICT. NOT_FOUND, FORBIDDEN. */
  'room:role': { payload: SetMemberRole; result: Nothing };
  /** FORBIDDEN. */
  'room:update': { payload: UpdateRoom; result: { room: Room } };
  /** Every message whose `rev` is above `since`, in its current state, in `rev` order. */
  'room:sync': { payload: SyncRoom; result: SyncPage };
  /** The `rev` of each room one is a member of; others are left out. */
  'room:positions': { payload: RoomPositions; result: { positions: Record<string, number> } };
  /** Ephemeral event to the room's other sockets; never stored; the newest per sender and kind wins when a room is busy. */
  'room:signal': { payload: SendSignal; result: Nothing };
  /**
   * Acknowledged and broadcast after COMMIT only. Duplicates are recognised before anything else is checked.
   * NOT_A_MEMBER, FORBIDDEN, ROOM_ARCHIVED, ROOM_FROZEN, SLOW_MODE, CONTENT_REJECTED, NOT_FOUND (reply or thread),
   * IDEMPOTENCY_CONFLICT. What a filter masks is stored and shown masked.
   */
  'message:send': { payload: SendMessage; result: SentMessage };
  /** Own messages only. */
  'message:edit': { payload: EditMessage; result: { message: Message } };
  /** Own messages, or with the capability `message:delete`. Leaves a tombstone; deleting twice is fine. */
  'message:delete': { payload: DeleteMessage; result: { message: Message } };
  /** Idempotent. LIMIT_EXCEEDED above 30 different emoji. */
  'message:react': { payload: ReactToMessage; result: { message: Message } };
  /** Idempotent. */
  'message:pin': { payload: PinMessage; result: { message: Message } };
  'message:read': { payload: ReadMessage; result: { readState: ReadState } };
  'message:history': { payload: ReadHistory; result: HistoryPage };
  /** At most once per 2 s and room; expires after 5 s. LIMIT_EXCEEDED in rooms above 1,000 members. */
  'typing:start': { payload: Typing; result: Nothing };
  'typing:stop': { payload: Typing; result: Nothing };
}

export type ChatCommand = keyof ChatCommands;

/** The names at run time. `Record` makes a forgotten or invented one a compile error. */
const commands: Record<ChatCommand, true> = {
  'room:join': true,
  'room:leave': true,
  'room:create': true,
  'room:list': true,
  'room:members': true,
  'room:invite': true,
  'room:kick': true,
  'room:role': true,
  'room:update': true,
  'room:sync': true,
  'room:positions': true,
  'room:signal': true,
  'message:send': true,
  'message:edit': true,
  'message:delete': true,
  'message:react': true,
  'message:pin': true,
  'message:read': true,
  'message:history': true,
  'typing:start': true,
  'typing:stop': true,
  'auth:refresh': true,
};
export const CHAT_COMMANDS = Object.keys(commands) as ChatCommand[];

/** Every event of `/chat` and who receives it. Live message events of a room carry its `rev` 1, 2, 3 ... without gaps. */
export interface ChatEvents extends SessionEvents {
  /** To the socket, after it is subscribed to the rooms its user is a member of (the first 1,000). */
  'session:ready': { userId: string; expiresAt: string; limits: SessionLimits; serverTime: string };
  /** To everyone in the room, the sender's sockets too. */
  'message:new': Message;
  /**
   * To sockets that connected with `batch: true`, instead of that many `message:new` and meaning the same: 2 to 100 new
   * messages of one room, at most 256 kB as JSON. Their `rev`s follow each other, and the single events before and
   * after them, without gaps. Everything else comes as itself: one new message alone as `message:new`, and
   * `message:updated` and `message:deleted` in their places, so that a change ends a batch.
   */
  'message:batch': { roomId: string; messages: Message[] };
  /** To everyone in the room: an edit, a reaction, a pin, new thread counts. */
  'message:updated': Message;
  /** To everyone in the room: the tombstone. */
  'message:deleted': Message;
  /** To the room, at most one per second; not in rooms above 100 members. */
  'message:read': { roomId: string; cursors: { userId: string; seq: number }[] };
  /** To the joining socket, when `room:join` came without a callback: the ack's `room` and `readState`. */
  'room:joined': { room: Room; readState: ReadState };
  /** After `room:joined`: the newest messages, or the sync page when `since` was given (then with `rev`). */
  'room:history': { roomId: string; messages: Message[]; hasMore: boolean; rev?: number; reset?: true };
  /** After `room:history`: the first page of members. */
  'room:members': { roomId: string; members: Member[]; cursor?: string };
  /** To the room: a membership began or ended (not for each connect). */
  'room:user-joined': { roomId: string; userId: string; username: string };
  'room:user-left': { roomId: string; userId: string; username: string };
  /** To all sockets of a user whom somebody else added. */
  'room:added': { room: Room };
  /** To everyone in the room, each with their own role and capabilities. */
  'room:updated': { room: Room };
  /** To all sockets of a user whose membership ended. */
  'room:removed': { roomId: string; reason: 'left' | 'kicked' | 'banned' };
  'room:signal': { roomId: string; userId?: string; kind: string; data: unknown };
  /** To the user's own sockets, absolute: after an own read, a join, a deletion or a mention; not per message. */
  'room:read-state': ReadState;
  /** To the room, never to the typist's own sockets. */
  'typing:update': { roomId: string; userId: string; username: string; isTyping: boolean; threadId?: string };
}

export type ChatEvent = keyof ChatEvents;

const events: Record<ChatEvent, true> = {
  ...SESSION_EVENTS,
  'session:ready': true,
  'message:new': true,
  'message:batch': true,
  'message:updated': true,
  'message:deleted': true,
  'message:read': true,
  'room:joined': true,
  'room:history': true,
  'room:members': true,
  'room:user-joined': true,
  'room:user-left': true,
  'room:added': true,
  'room:updated': true,
  'room:removed': true,
  'room:signal': true,
  'room:read-state': true,
  'typing:update': true,
};
export const CHAT_EVENTS = Object.keys(events) as ChatEvent[];

/** Every event of `/chat` and who receives it. Live message events of a room carry its `rev` 1, 2, 3 ... without gaps. */
import type { ClosingCode, WireError } from './errors.js';
import type { SessionLimits } from './limits.js';
import type { Member, Message, ReadState, Room } from './views.js';

/** Events every namespace has. */
export interface SessionEvents {
  /** To the socket, 60 s before its token expires: renew with `auth:refresh`. */
  'session:expiring': { expiresAt: string };
  /** To the socket, just before the server disconnects it. */
  'session:closing': { code: ClosingCode; reconnect: boolean; retryAfterMs?: number };
  /** To the socket, instead of an ack when a refused command came without a callback. */
  error: WireError & { event: string };
}

export interface ChatEvents extends SessionEvents {
  /** To the socket, after it is subscribed to the rooms its user is a member of (the first 1,000). */
  'session:ready': { userId: string; expiresAt: string; limits: SessionLimits; serverTime: string };
  /** To everyone in the room, the sender's sockets too. */
  'message:new': Message;
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
  'room:removed': { roomId: string; reason: 'left' | 'kicked' };
  'room:signal': { roomId: string; userId?: string; kind: string; data: unknown };
  /** To the user's own sockets, absolute: after an own read, a join, a deletion or a mention; not per message. */
  'room:read-state': ReadState;
  /** To the room, never to the typist's own sockets. */
  'typing:update': { roomId: string; userId: string; username: string; isTyping: boolean; threadId?: string };
}

export type ChatEvent = keyof ChatEvents;

const names: Record<ChatEvent, true> = {
  'session:ready': true,
  'session:expiring': true,
  'session:closing': true,
  error: true,
  'message:new': true,
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
export const CHAT_EVENTS = Object.keys(names) as ChatEvent[];

/** What the server shows: the shapes of rooms, messages and people, the same over sockets and REST. Times are ISO 8601 UTC strings. */

export type UserRole = 'user' | 'admin';

/** The signed-in user, as the auth routes and `users/me` show it. */
export interface User {
  id: string;
  username: string;
  name: string;
  role: UserRole;
  avatarUrl?: string;
}

/** Public: anybody may join. Announcement: anybody may join, owners and admins write. Private: by invitation. Direct: one per set of members. */
export type RoomType = 'public' | 'private' | 'direct' | 'announcement';
export type MemberRole = 'owner' | 'admin' | 'member';
/** What newcomers can read: everything, or what is written after they came. */
export type RoomHistory = 'full' | 'since_join';

/** What the reader may do in a room; a command that needs a missing one is refused with `FORBIDDEN`. `message:delete` means other people's messages, `room:moderate` muting and banning, and the reports of the room. */
export type Capability =
  | 'message:send'
  | 'message:react'
  | 'message:pin'
  | 'message:delete'
  | 'message:mention-room'
  | 'room:invite'
  | 'room:kick'
  | 'room:moderate'
  | 'room:role'
  | 'room:update'
  | 'room:leave';

/** A room as one of its members sees it. */
export interface Room {
  id: string;
  /** For a direct room: the names of the other members. */
  name: string;
  type: RoomType;
  topic?: string;
  history: RoomHistory;
  members: { count: number; online: number };
  /** `seq` of the newest message, 0 when there is none. */
  lastSeq: number;
  /** The room's change counter, 0 at first. */
  rev: number;
  /** Seconds a member waits between two messages; 0 is off. */
  slowModeSeconds: number;
  archivedAt?: string;
  frozenAt?: string;
  createdAt: string;
  /** Of the reader. */
  role: MemberRole;
  capabilities: Capability[];
}

export interface RoomSummary {
  room: Room;
  readState: ReadState;
  lastMessage?: Message;
}

export interface Member {
  userId: string;
  username: string;
  name: string;
  avatarUrl?: string;
  role: MemberRole;
  /** Absent in rooms above 1,000 members: `Room.members.online` counts them. */
  online?: boolean;
  lastReadSeq: number;
  joinedAt: string;
}

/** How far a user has read in a room. Derived from the messages, never counted up. */
export interface ReadState {
  roomId: string;
  lastReadSeq: number;
  /** Messages of others after `lastReadSeq` (no thread replies, no deleted ones), exact to 99, then 100. */
  unread: number;
  /** Those among them that mention the user or `@room`, exact to 99, then 100. */
  mentions: number;
  /** Grows with every change within one membership; apply the highest. */
  version: number;
}

export interface Reaction {
  emoji: string;
  count: number;
  /** The first 20, oldest first. */
  userIds: string[];
}

/** A message in its current state; a deleted one is a tombstone: `deletedAt` is set, content, data, reactions and mentions are empty. */
export interface Message {
  id: string;
  roomId: string;
  /** 1, 2, 3 ... per room without gaps, fixed at creation: the order of the room. */
  seq: number;
  /** The room's change counter when this state came to be. */
  rev: number;
  /** `text`, or an application's own `x-...` type. */
  type: string;
  /** JSON of an `x-...` message, carried as it was sent. */
  data?: unknown;
  sender: { id: string; name: string; avatarUrl?: string };
  content: string;
  /** As the author chose it. */
  clientMessageId?: string;
  /** `excerpt` is derived from the target when read: empty when that is deleted, and in rooms with `history: 'since_join'`. */
  replyTo?: { id: string; seq: number; excerpt: string };
  /** The id of the root message when this is a reply in a thread. */
  threadId?: string;
  /** On the root of a thread. */
  thread?: { replies: number; lastReplyAt: string };
  reactions: Reaction[];
  /** User ids, or `@room`. */
  mentions: string[];
  pinnedAt?: string;
  createdAt: string;
  editedAt?: string;
  deletedAt?: string;
}

/** One page of a room's change log. `rev` is the next `since`. `reset` means: the log does not reach back that far, read the history afresh. */
export interface SyncPage {
  messages: Message[];
  rev: number;
  hasMore: boolean;
  reset?: true;
}

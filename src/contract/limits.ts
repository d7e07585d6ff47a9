/** Bounds of payloads that are part of the contract itself; the ones an operator may change come with `session:ready`. */
export const CONTRACT_LIMITS = {
  /** Characters of a room id, `[A-Za-z0-9_-]`. */
  roomIdLength: 64,
  /** Characters of a user id (UUIDv7 for local accounts, the token's `sub` otherwise). */
  userIdLength: 128,
  roomNameLength: 100,
  roomTopicLength: 500,
  /** Characters of a `clientMessageId`. */
  clientMessageIdLength: 64,
  /** Characters of an application's message type, `x-...`. */
  messageTypeLength: 64,
  /** Bytes of `data` of a message or a signal, as JSON in UTF-8. */
  dataBytes: 8192,
  /** User ids (or `@room`) in one message. */
  mentions: 50,
  /** Users given to one `room:create`. */
  memberIds: 100,
  /** Members of a direct room, the creator included. */
  directMembers: 10,
  /** Different emoji on one message. */
  emojisPerMessage: 30,
  /** User ids listed with a reaction; `count` is exact. */
  reactionUserIds: 20,
  /** Code points of the excerpt of a message replied to. */
  excerptLength: 140,
  slowModeSeconds: 21_600,
  /** Page sizes. */
  historyPage: 50,
  historyPageMax: 100,
  syncPageMax: 500,
  /** Bytes of one sync page; at least one message is always given. */
  syncPageBytes: 262_144,
  /** Messages in one `message:batch`, and their bytes as JSON in UTF-8. What is more comes in several. */
  batchMessages: 100,
  batchBytes: 262_144,
  roomsPage: 50,
  membersPage: 100,
  positionRooms: 500,
  /** Rooms a fresh connection is subscribed to by itself; the rest on `room:join`. */
  autoSubscribedRooms: 1000,
  /** Rooms with more members have no typing, and no live read cursors above the second number. */
  typingMembers: 1000,
  readCursorMembers: 100,
  /** Users a socket watches, beside those of its direct rooms; also the most of those. */
  watchedUsers: 500,
  /** In rooms with more members people do not see each other's presence, only the count. */
  presenceMembers: 1000,
  presenceTextLength: 100,
  notificationsPage: 50,
  /** Ids in one `notification:read` or `notification:archive`. */
  notificationIds: 100,
  notificationTitleLength: 200,
  notificationBodyLength: 500,
  announcementBodyLength: 2000,
  /** Characters of the reason of an act, a report or a deletion. */
  reasonLength: 500,
  filterPatternLength: 200,
  connectionsPage: 100,
  /** Unread and mention counts are exact up to here; one more means "or more". */
  unreadExact: 99,
  /** Levels of nesting of a payload. */
  jsonDepth: 20,
} as const;

/** The limits in force on this server, in `session:ready`. Windows slide. */
export interface SessionLimits {
  /** Code points of a message's content after trimming. */
  contentLength: number;
  /** Bytes of one frame; a larger one closes the transport with 1009. */
  frameBytes: number;
  sends: { limit: number; windowMs: number };
  commands: { limit: number; windowMs: number };
}

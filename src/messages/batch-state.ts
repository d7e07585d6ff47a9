import type { SentMessage } from '../contract/chat.js';
import type { ActiveRestriction } from '../rooms/restrictions.policy.js';
import type { MemberRole, RoomHistory, RoomType } from '../contract/views.js';

/** A locked room, as the batch goes on with it. */
export interface RoomState {
  id: string;
  type: RoomType;
  history: RoomHistory;
  lastSeq: number;
  lastRev: number;
  slowModeSeconds: number;
  archived: boolean;
  frozen: boolean;
  /** Some member wants to be notified of every message. */
  notifyAll: boolean;
}

export interface MemberState {
  roomId: string;
  userId: string;
  role: MemberRole;
  name: string;
  avatarUrl: string | null;
  /** In ms since the epoch. */
  lastSentAt: number | null;
  historyFromSeq: number;
  restriction: ActiveRestriction | null;
}

/** An existing message a change refers to, as the batch goes on with it. */
export interface TargetState {
  id: string;
  roomId: string;
  seq: number;
  rev: number;
  senderId: string;
  type: string;
  content: string;
  hasData: boolean;
  threadId: string | null;
  threadReplies: number;
  threadLastReplyAt: Date | null;
  pinnedAt: Date | null;
  editedAt: Date | null;
  deletedAt: Date | null;
  deletedBy: string | null;
  deleteReason: string | null;
  emojis: Set<string>;
}

export interface FirstSend {
  requestHash: string | null;
  result: Omit<SentMessage, 'deduplicated'>;
}

/** What was read under the locks, or is known and compared under them. The ledger changes it as it goes. */
export interface LedgerState {
  now: Date;
  /** Of the filter rules in force; not read when nobody may write anyway. */
  filterVersion: number | undefined;
  rooms: Map<string, RoomState>;
  /** The actors whose account is closed: their changes were on their way. */
  suspended: Set<string>;
  /** Of the actors: whose role is of this moment, not of their last token. */
  administrators: Set<string>;
  /** By `pairKey(roomId, userId)`. */
  members: Map<string, MemberState>;
  targets: Map<string, TargetState>;
  /** Earlier sends by `pairKey(senderId, clientMessageId)`. */
  firstSends: Map<string, FirstSend>;
  /** Messages of this batch that an attempt in doubt has written after all, by id. */
  kept: Map<string, FirstSend['result']>;
  /** Reactions there are among those asked about, by `reactionKey`. */
  reactions: Set<string>;
}

// NUL is in none of the parts: no input with it passes validation.
export const pairKey = (first: string, second: string) => `${first}\0${second}`;
export const reactionKey = (messageId: string, emoji: string, userId: string) =>
  `${messageId}\0${emoji}\0${userId}`;

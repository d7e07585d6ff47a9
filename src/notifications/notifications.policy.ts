import type {
  DecisionReason,
  NotificationCause,
  NotificationChannels,
  NotificationKind,
  NotifyLevel,
  QuietHours,
} from '../contract/notifications.js';
import type { RoomType } from '../contract/views.js';
import type { KindSettings } from './notification-inbox.entity.js';
import { channelsOf } from './preferences.policy.js';
import { isQuiet } from './quiet-hours.js';

/**
 * Why somebody is, or is not, told. The rules stand in the order of `DecisionReason`, and the first that applies holds:
 * those of the message and the room here, those of the person's own preferences below.
 */
export interface DecidedMessage {
  seq: number;
  senderId: string;
  threadId: string | null;
  deleted: boolean;
  roomType: RoomType;
}

/** A membership, as it is when the message is decided. */
export interface DecidedMember {
  lastReadSeq: number;
  historyFromSeq: number;
  notifyLevel: NotifyLevel | null;
  /** Until a time that has not come. */
  muted: boolean;
  suspended: boolean;
}

const CALLS_BY_NAME: ReadonlySet<NotificationCause> = new Set(['mention', 'room_mention', 'reply', 'thread']);

export function levelOf(level: NotifyLevel | null, roomType: RoomType): NotifyLevel {
  return level ?? (roomType === 'direct' ? 'all' : 'mentions');
}

/** What speaks against telling this user, before their own preferences are asked. */
export function refusalInRoom(
  message: DecidedMessage,
  userId: string,
  member: DecidedMember | undefined,
  cause: NotificationCause,
): DecisionReason | undefined {
  if (message.senderId === userId) return 'own_message';
  if (message.deleted) return 'message_deleted';
  if (!member) return 'not_a_member';
  if (member.suspended) return 'suspended';
  if (member.historyFromSeq >= message.seq) return 'hidden_history';
  // A read position says nothing of threads.
  if (message.threadId === null && member.lastReadSeq >= message.seq) return 'already_read';
  const level = levelOf(member.notifyLevel, message.roomType);
  if (member.muted || level === 'none') return 'muted_room';
  if (level === 'mentions' && !CALLS_BY_NAME.has(cause)) return 'room_level';
  return undefined;
}

/** What a person prefers, and where that leaves a kind at a moment. */
export interface Preference {
  reason: 'muted_kind' | 'quiet_hours' | 'notified';
  channels: NotificationChannels;
}

const NOWHERE: NotificationChannels = { inApp: false, push: false, email: false };

export function preferenceFor(
  kind: NotificationKind,
  { kinds, quietHours }: { kinds: KindSettings | null; quietHours: QuietHours | null },
  now: Date,
): Preference {
  const channels = channelsOf(kinds, kind);
  if (!channels.inApp) return { reason: 'muted_kind', channels: NOWHERE };
  if (isQuiet(quietHours, kind, now)) return { reason: 'quiet_hours', channels: { ...NOWHERE, inApp: true } };
  return { reason: 'notified', channels };
}

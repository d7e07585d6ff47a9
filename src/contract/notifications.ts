/**
 * `/notifications`: the inbox of a user, on all devices alike, and what they want to be told of. Every change of the
 * inbox is an event, so that a list plus the events after it is what the next list says.
 */
import { SESSION_EVENTS, type SessionCommands, type SessionEvents } from './session.js';

/**
 * `mention`: by name or with `@room`. `direct`: a message in a direct room. `reply`: to one's own message, or in a
 * thread one has taken part in. `message`: any other message of a room whose level is `all`. `invite`: somebody made one a
 * member. `announcement`: of an administrator, to everybody. `custom`: over REST, of the application's own.
 */
export type NotificationKind =
  'mention' | 'direct' | 'reply' | 'message' | 'invite' | 'announcement' | 'custom';

/** Kind of a message's cause, in the order in which the first that applies is taken. */
export type NotificationCause = 'mention' | 'room_mention' | 'reply' | 'thread' | 'direct' | 'message';

export interface Notification {
  id: string;
  kind: NotificationKind;
  /** At most 200 characters. */
  title: string;
  /** At most 500 characters; an excerpt of the newest message. */
  body: string;
  roomId?: string;
  /** The newest message it tells of. */
  messageId?: string;
  /** Of the message, when it is a reply in a thread. */
  threadId?: string;
  /** Who caused it. */
  actor?: { id: string; name: string; avatarUrl?: string };
  /** Of `custom`: where a click leads, as given. */
  url?: string;
  /** How many messages (or invites) it tells of: those of one room and kind within 60 s are one notification. */
  count: number;
  /** Decided in quiet hours: it is in the inbox, but should make no sound. */
  silent?: true;
  createdAt: string;
  /** When it last grew by one more. */
  updatedAt: string;
  readAt?: string;
  archivedAt?: string;
}

/** Absolute, of what is not archived. Apply the highest `version`. */
export interface NotificationCounts {
  /** Exact to 99, then 100. */
  unread: number;
  /** The unread ones that came or grew since the last `notification:seen`: the number on the bell. Exact to 99, then 100. */
  unseen: number;
  version: number;
}

/** One stored row for everybody who was a user when it was made; also in each inbox, under the same id, as its maker is called by then. */
export interface Announcement {
  id: string;
  title: string;
  body: string;
  from: { id: string; name: string; avatarUrl?: string };
  createdAt: string;
}

export type NotificationFilter = 'all' | 'unread' | 'archived';
/** `all`: every message of the room. `mentions`: mentions, replies and followed threads. Default: `all` in direct rooms, else `mentions`. */
export type NotifyLevel = 'all' | 'mentions' | 'none';

/** Where a kind is told. Off for `inApp` means: not at all. */
export interface NotificationChannels {
  /** Inbox and socket. */
  inApp: boolean;
  /** Web push to the subscribed browsers. */
  push: boolean;
  /** In the e-mail digest of what stays unseen. */
  email: boolean;
}

/**
 * Every day from `from` to `to`, over midnight when `from` is later. Inbox only: no push, no e-mail, `silent` on the socket.
 * The event `announcement` has no `silent`: clients show it quietly by their own clock.
 */
export interface QuietHours {
  /** `HH:MM`. */
  from: string;
  to: string;
  /** IANA name, e.g. `Europe/Berlin`. */
  timeZone: string;
  /** Kinds that pass as at any other time. */
  critical?: NotificationKind[];
}

export interface RoomPreference {
  roomId: string;
  level: NotifyLevel;
  /** Nothing of the room is told before this time. ISO 8601. */
  mutedUntil?: string;
}

export interface NotificationPreferences {
  kinds: Record<NotificationKind, NotificationChannels>;
  /** Those that differ from the default. */
  rooms: RoomPreference[];
  quietHours?: QuietHours;
}

export interface ListNotifications {
  cursor?: string;
  /** Default `all`: what is not archived. */
  filter?: NotificationFilter;
}
/** Exactly one of both. Unknown and foreign ids change nothing. */
export interface ReadNotifications {
  /** 1 to 100. */
  ids?: string[];
  all?: true;
}
export interface ArchiveNotifications {
  /** 1 to 100. */
  ids: string[];
}
/** One of three: of a room (`roomId` with `level` and/or `mutedUntil`), of a kind (`kind` with `channels`), or `quietHours`. */
export interface SetPreference {
  roomId?: string;
  level?: NotifyLevel;
  /** ISO 8601, a time to come, at most 10 years ahead; null unmutes. */
  mutedUntil?: string | null;
  kind?: NotificationKind;
  /** What is left out stays. */
  channels?: Partial<NotificationChannels>;
  /** null: none. */
  quietHours?: QuietHours | null;
}

type Nothing = Record<never, never>;

export interface NotificationCommands extends SessionCommands {
  /** Newest first, 50 a page. */
  'notification:list': {
    payload: ListNotifications;
    result: { notifications: Notification[]; cursor?: string };
  };
  /** The bell was opened: nothing is unseen any more. */
  'notification:seen': { payload: Nothing; result: { counts: NotificationCounts } };
  'notification:read': { payload: ReadNotifications; result: { counts: NotificationCounts } };
  /** Archived ones count as read and seen. */
  'notification:archive': { payload: ArchiveNotifications; result: { counts: NotificationCounts } };
  'preference:get': { payload: Nothing; result: { preferences: NotificationPreferences } };
  /** NOT_FOUND (a room one is not a member of). */
  'preference:set': { payload: SetPreference; result: { preferences: NotificationPreferences } };
}

/** All go to the user's own sockets. */
export interface NotificationEvents extends SessionEvents {
  'notification:new': Notification;
  /** Its count, title, body or message changed: one more was added, or a message of it was deleted. An edit changes nothing. */
  'notification:updated': Notification;
  /** `ids`, or with `all` every one created until `readAt`. By a command of any device, or because the room was read. */
  'notification:read': { ids: string[]; readAt: string } | { all: true; readAt: string };
  /** Those that were unread are read since then, too. */
  'notification:archived': { ids: string[]; archivedAt: string };
  /** What they told of is gone, or is of a room one has left; or they were too old to be kept. Ids one does not know are fine. */
  'notification:removed': { ids: string[] };
  /** On connect, and after every change. */
  'notification:counts': NotificationCounts;
  /**
   * To everybody who is connected, whatever they prefer: clients leave it out for those who have switched the kind off. It
   * stands in the inbox too, as a notification with the same id.
   */
  announcement: Announcement;
  /** Another device, or this one, changed them. */
  'preference:updated': NotificationPreferences;
}

export type NotificationCommand = keyof NotificationCommands;
const commands: Record<NotificationCommand, true> = {
  'auth:refresh': true,
  'notification:list': true,
  'notification:seen': true,
  'notification:read': true,
  'notification:archive': true,
  'preference:get': true,
  'preference:set': true,
};
export const NOTIFICATION_COMMANDS = Object.keys(commands) as NotificationCommand[];

export type NotificationEvent = keyof NotificationEvents;
const events: Record<NotificationEvent, true> = {
  ...SESSION_EVENTS,
  'notification:new': true,
  'notification:updated': true,
  'notification:read': true,
  'notification:archived': true,
  'notification:removed': true,
  'notification:counts': true,
  announcement: true,
  'preference:updated': true,
};
export const NOTIFICATION_EVENTS = Object.keys(events) as NotificationEvent[];

const kinds: Record<NotificationKind, true> = {
  mention: true,
  direct: true,
  reply: true,
  message: true,
  invite: true,
  announcement: true,
  custom: true,
};
export const NOTIFICATION_KINDS = Object.keys(kinds) as NotificationKind[];

/**
 * Why a user was, or was not, told of a message. Decided once, in the order of this list: the first that applies.
 * `no_cause`, `pending`, `expired` and `room_mention_capped` are not stored but found when asked.
 */
export type DecisionReason =
  /** The message does not concern them. */
  | 'no_cause'
  /** It will be decided in a moment. */
  | 'pending'
  /** Nothing is known any more: decisions are kept for `NOTIFICATION_DAYS`. */
  | 'expired'
  /** `@room` in a room above the cap, and they are not among those told. */
  | 'room_mention_capped'
  | 'own_message'
  | 'message_deleted'
  | 'not_a_member'
  | 'suspended'
  /** They joined after it, and the room shows newcomers nothing older. */
  | 'hidden_history'
  | 'already_read'
  /** Muted until a time that has not come, or the room's level is `none`. */
  | 'muted_room'
  /** The room's level is `mentions`, and this was none. */
  | 'room_level'
  /** The kind is off. */
  | 'muted_kind'
  /** Told, but silently. */
  | 'quiet_hours'
  | 'notified';

/** Answer of `GET notifications/decisions`. */
export interface NotificationDecision {
  messageId: string;
  userId: string;
  reason: DecisionReason;
  cause?: NotificationCause;
  /** Where it was told. */
  channels?: NotificationChannels;
  notificationId?: string;
  decidedAt?: string;
}

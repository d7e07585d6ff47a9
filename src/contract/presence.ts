/**
 * `/presence`: who is there. A user is a set of devices (tabs, phones; one device is one transport) in any namespace but
 * `/admin`: online with the first, offline 10 s after the last one is gone, so that a page reload shows nothing.
 * The most available device counts: busy > online > away > offline. Only people who share a room of at most
 * 1,000 members see each other; administrators see everybody.
 */
import { SESSION_EVENTS, type SessionCommands, type SessionEvents } from './session.js';

export type PresenceStatus = 'online' | 'away' | 'busy' | 'offline';

/** Somebody as others see them. Invisible people are `offline` to everybody else. */
export interface Presence {
  userId: string;
  username: string;
  status: PresenceStatus;
  /** Status text, 1 to 100 characters. Shown while the user is not offline. */
  text?: string;
  /** When the last device was gone; only while `offline`, and not of invisible people. ISO 8601. */
  lastSeenAt?: string;
}

/** What a user may set. `online` is the normal state: automatic, away after 5 minutes without activity on every device. */
export type OwnStatus = 'online' | 'away' | 'busy' | 'invisible';

/** One's own setting, the same on all devices. It outlives connections and restarts. */
export interface OwnPresence {
  status: OwnStatus;
  text?: string;
  /** When status and text go back to what they were before they were set with `until`. ISO 8601. */
  until?: string;
}

export interface SetPresence {
  status: OwnStatus;
  /** 1 to 100 characters, one line. Absent: none. */
  text?: string;
  /** ISO 8601, in the future, at most a year ahead. Then the state before this command is restored. */
  until?: string;
}
export interface WatchPresence {
  /** 1 to 500. Those one may not see, and those there are none of, are left out of the list. */
  userIds: string[];
}

type Nothing = Record<never, never>;

export interface PresenceCommands extends SessionCommands {
  'presence:set': { payload: SetPresence; result: { presence: OwnPresence } };
  /** The person did something on this device. Other commands that show it count by themselves (`ACTIVITY_COMMANDS`). */
  'presence:activity': { payload: Nothing; result: Nothing };
  /** Adds to what this socket watches, beside the people of one's direct rooms. `presence:list` comes before the answer. LIMIT_EXCEEDED above 500 in all. */
  'presence:watch': { payload: WatchPresence; result: Nothing };
  /** Unknown ids are fine. */
  'presence:unwatch': { payload: WatchPresence; result: Nothing };
}

export interface PresenceEvents extends SessionEvents {
  /** To the user's own sockets: on connect, and when any device has set it. */
  'presence:own': OwnPresence;
  /**
   * To the socket: the state of these people at this moment. `direct`: those of the user's direct rooms (at most 500) on
   * connect, and when a direct room begins those of it. `watched`: those one `presence:watch` asked for, without whom one
   * may not see; one for each watch, in the order of the commands, each before the answer of its command.
   */
  'presence:list': { users: Presence[]; of: 'direct' | 'watched' };
  /** To the sockets that watch them: at most one frame a second, never before the list. Replaces what was known of these users. */
  'presence:update': { users: Presence[] };
  /**
   * To the socket: they are not watched any more. The last room in common is gone, a later list leaves them out, or it
   * could not be found out whether they may still be seen: then they count as unseen, and can be watched again.
   */
  'presence:removed': { userIds: string[] };
}

export type PresenceCommand = keyof PresenceCommands;
const commands: Record<PresenceCommand, true> = {
  'auth:refresh': true,
  'presence:set': true,
  'presence:activity': true,
  'presence:watch': true,
  'presence:unwatch': true,
};
export const PRESENCE_COMMANDS = Object.keys(commands) as PresenceCommand[];

export type PresenceEvent = keyof PresenceEvents;
const events: Record<PresenceEvent, true> = {
  ...SESSION_EVENTS,
  'presence:own': true,
  'presence:list': true,
  'presence:update': true,
  'presence:removed': true,
};
export const PRESENCE_EVENTS = Object.keys(events) as PresenceEvent[];

/** Commands, of any namespace, that show that the person is at the device. */
export const ACTIVITY_COMMANDS: ReadonlySet<string> = new Set([
  'presence:activity',
  'presence:set',
  'message:send',
  'message:edit',
  'message:delete',
  'message:react',
  'message:pin',
  'message:read',
  'room:signal',
  'typing:start',
]);

/** The four namespaces, which share one connection, and what each of them speaks. */
import { ADMIN_COMMANDS, ADMIN_EVENTS, type AdminCommands, type AdminEvents } from './admin.js';
import { CHAT_COMMANDS, CHAT_EVENTS, type ChatCommands, type ChatEvents } from './chat.js';
import {
  NOTIFICATION_COMMANDS,
  NOTIFICATION_EVENTS,
  type NotificationCommands,
  type NotificationEvents,
} from './notifications.js';
import {
  PRESENCE_COMMANDS,
  PRESENCE_EVENTS,
  type PresenceCommands,
  type PresenceEvents,
} from './presence.js';

export interface CommandsOf {
  '/chat': ChatCommands;
  '/presence': PresenceCommands;
  '/notifications': NotificationCommands;
  '/admin': AdminCommands;
}
export interface EventsOf {
  '/chat': ChatEvents;
  '/presence': PresenceEvents;
  '/notifications': NotificationEvents;
  '/admin': AdminEvents;
}
export type NamespaceName = keyof CommandsOf;

/** The names of every namespace at run time. */
export const NAMESPACES: {
  [N in NamespaceName]: {
    commands: readonly (keyof CommandsOf[N])[];
    events: readonly (keyof EventsOf[N])[];
  };
} = {
  '/chat': { commands: CHAT_COMMANDS, events: CHAT_EVENTS },
  '/presence': { commands: PRESENCE_COMMANDS, events: PRESENCE_EVENTS },
  '/notifications': { commands: NOTIFICATION_COMMANDS, events: NOTIFICATION_EVENTS },
  '/admin': { commands: ADMIN_COMMANDS, events: ADMIN_EVENTS },
};

import { UsersAndSessions1764000000000 } from './0001-users-and-sessions.js';
import { RoomsAndMessages1764000000001 } from './0002-rooms-and-messages.js';
import { OutboxAndAudit1764000000002 } from './0003-outbox-and-audit.js';
import { Presence1764000000003 } from './0004-presence.js';
import { Notifications1764000000004 } from './0005-notifications.js';
import { Moderation1764000000005 } from './0006-moderation.js';
import { Delivery1764000000006 } from './0007-delivery.js';
import { SetupAndRoles1764000000007 } from './0008-setup-and-roles.js';
import { RoomForUpdates1764000000008 } from './0009-room-for-updates.js';
import { ClusterCommands1764000000009 } from './0010-cluster-commands.js';

/** In the order they run. TypeORM sorts by the number in the class name, so it has to grow. */
export const migrations = [
  UsersAndSessions1764000000000,
  RoomsAndMessages1764000000001,
  OutboxAndAudit1764000000002,
  Presence1764000000003,
  Notifications1764000000004,
  Moderation1764000000005,
  Delivery1764000000006,
  SetupAndRoles1764000000007,
  RoomForUpdates1764000000008,
  ClusterCommands1764000000009,
];

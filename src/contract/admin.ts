/**
 * `/admin`: the installation as its administrators see and steer it. The handshake of everybody else is refused with
 * FORBIDDEN, and who loses the role loses the namespace within 1 s (`session:closing` ROLE_CHANGED). Every act needs a
 * `reason` of 1 to 500 characters and leaves an entry in the audit log in the transaction of the act.
 */
import type { ErrorCode } from './errors.js';
import type { Report } from './moderation.js';
import type { Announcement } from './notifications.js';
import { SESSION_EVENTS, type SessionCommands, type SessionEvents } from './session.js';
import type { UserRole } from './views.js';

/** One act of an administrator or moderator. Append-only. */
export interface AuditEntry {
  id: string;
  at: string;
  /** null: the system. */
  actor: { id: string; name: string } | null;
  /** `noun.verb`, e.g. `user.suspend`. */
  act: string;
  target: { type: string; id: string };
  roomId?: string;
  reason?: string;
  /** Under which the server logged the request. */
  requestId?: string;
  /** What changed, without secrets. */
  before?: object;
  after?: object;
}

/** The whole installation at one moment, and what went through it since the last statistics (2 s). */
export interface AdminStats {
  at: string;
  nodes: number;
  uptimeSeconds: number;
  /** Open sockets by namespace, e.g. `/chat`. */
  connections: Record<string, number>;
  /** Open transports: what one person has open in one tab. */
  transports: number;
  /** People with a connection. */
  users: number;
  /** Rooms with somebody connected. */
  rooms: number;
  messagesPerSecond: number;
  /** Events handed to sockets. */
  deliveriesPerSecond: number;
  commandsPerSecond: number;
  /** From a command to its answer, of the last interval; null when there was none. */
  ackMs: { p50: number; p99: number } | null;
  /** Refusals since the last statistics, by code. */
  errors: Partial<Record<ErrorCode, number>>;
  eventLoopDelayMs: { mean: number; p99: number };
  memory: { rssBytes: number; heapUsedBytes: number };
  /** Connections to the database. */
  pool: { size: number; idle: number; waiting: number };
  /** Changes waiting to be written, facts waiting to be handed on, and jobs waiting to run. */
  queued: { writes: number; outbox: number; jobs: number };
}

export interface ConnectionInfo {
  id: string;
  userId: string;
  username: string;
  namespaces: string[];
  transport: string;
  address: string;
  connectedAt: string;
  /** The last thing the person did on it. */
  activeAt: string;
}

export interface WithReason {
  /** 1 to 500 characters; stands in the audit log. */
  reason: string;
}
export interface SendAnnouncement extends WithReason {
  /** 1 to 200 characters. */
  title: string;
  /** 1 to 2,000 characters. */
  body: string;
}
export interface OnUser extends WithReason {
  userId: string;
}
export interface SetUserRole extends OnUser {
  role: UserRole;
}
export interface OnRoom extends WithReason {
  roomId: string;
}
export interface DeleteAnyMessage extends WithReason {
  messageId: string;
}
export interface ListConnections {
  cursor?: string;
  /** Only of this user. */
  userId?: string;
}

type Nothing = Record<never, never>;

/** NOT_FOUND where the user, room or message does not exist. Acts that are done already change nothing, and are not audited again. */
export interface AdminCommands extends SessionCommands {
  'announcement:send': { payload: SendAnnouncement; result: { announcement: Announcement } };
  /** Ends every sign-in of the user and closes their sockets (SESSION_REVOKED). They may sign in again. */
  'user:disconnect': { payload: OnUser; result: Nothing };
  /** No sign-in, no request, no socket (SUSPENDED), within 1 s, until `user:resume`. CONFLICT: oneself, or the last administrator. */
  'user:suspend': { payload: OnUser; result: Nothing };
  'user:resume': { payload: OnUser; result: Nothing };
  /** CONFLICT: the last administrator; somebody whose tokens of another issuer say the role. */
  'user:role': { payload: SetUserRole; result: Nothing };
  'room:freeze': { payload: OnRoom; result: Nothing };
  'room:unfreeze': { payload: OnRoom; result: Nothing };
  /** Of anybody, in any room. Leaves the usual tombstone. */
  'message:delete': { payload: DeleteAnyMessage; result: Nothing };
  /** The transports of this installation by id, 100 a page. */
  'connection:list': {
    payload: ListConnections;
    result: { connections: ConnectionInfo[]; cursor?: string };
  };
}

/** All go to every administrator who is connected. */
export interface AdminEvents extends SessionEvents {
  /** On connect, then every 2 s. */
  'admin:stats': AdminStats;
  'audit:appended': AuditEntry;
  'report:created': Report;
}

export type AdminCommand = keyof AdminCommands;
const commands: Record<AdminCommand, true> = {
  'auth:refresh': true,
  'announcement:send': true,
  'user:disconnect': true,
  'user:suspend': true,
  'user:resume': true,
  'user:role': true,
  'room:freeze': true,
  'room:unfreeze': true,
  'message:delete': true,
  'connection:list': true,
};
export const ADMIN_COMMANDS = Object.keys(commands) as AdminCommand[];

export type AdminEvent = keyof AdminEvents;
const events: Record<AdminEvent, true> = {
  ...SESSION_EVENTS,
  'admin:stats': true,
  'audit:appended': true,
  'report:created': true,
};
export const ADMIN_EVENTS = Object.keys(events) as AdminEvent[];

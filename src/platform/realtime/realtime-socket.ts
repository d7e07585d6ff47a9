import type { DefaultEventsMap, Socket } from 'socket.io';
import type { ClosingCode } from '../../contract/errors.js';
import type { Actor } from '../identity/actor.js';

/** What the server knows of an authenticated socket. Only the handshake and `auth:refresh` write it. */
export interface SocketData {
  actor: Actor;
  /** Of the transport: its sockets in all namespaces share it, and its limits. */
  connectionId: string;
  /** It asked for `message:batch`. Has a meaning in `/chat` only. */
  batch: boolean;
  /** Of the client, as the trusted proxies tell it. */
  address: string;
  /** When the person last did something here, in ms since the epoch. */
  activeAt: number;
  /** Set when the server has decided to close the socket: later commands are refused. */
  closing?: ClosingCode;
}

/** A socket of any namespace, after the handshake. Events leave through `Publisher`, never through `emit` of it. */
export type RealtimeSocket = Socket<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, SocketData>;

/** The namespace that only administrators enter. */
export const ADMIN_NAMESPACE = '/admin';

/** The names of Socket.IO rooms. They are built here only, so that no string of a client ever names one. */
export const roomChannel = (roomId: string) => `room:${roomId}`;
/** The sockets of a room that take `message:batch`. They are in `room:<id>` too. */
export const batchChannel = (roomId: string) => `batch:${roomId}`;
export const userChannel = (userId: string) => `user:${userId}`;
export const sessionChannel = (sessionId: string) => `session:${sessionId}`;

import type { IncomingMessage } from 'node:http';
import type { RealtimeSocket } from './realtime-socket.js';

const NOTHING = Object.freeze({});

/** What the handshake of a further namespace, and whoever asks where a socket comes from, still read of a request. */
class RemainingRequest {
  readonly headers: IncomingMessage['headers'] = {};
  readonly socket: IncomingMessage['socket'];
  /** Socket.IO and engine.io call it so. */
  readonly connection: IncomingMessage['socket'];
  readonly url = '';
  readonly _query = NOTHING;

  constructor(request: IncomingMessage) {
    this.socket = this.connection = request.socket;
    // It authenticates further namespaces.
    const { authorization } = request.headers;
    if (authorization !== undefined) this.headers.authorization = authorization;
    const forwarded = request.headers['x-forwarded-for'];
    if (forwarded !== undefined) this.headers['x-forwarded-for'] = forwarded;
  }
}

/**
 * Socket.IO keeps the handshake and the request with all its headers for the life of a connection, 2 kB that nobody reads
 * again. The token of the handshake has done its work; the moment it came is what endings are compared with.
 */
export function forgetHandshake(socket: RealtimeSocket): void {
  const { issued, address, secure, xdomain } = socket.handshake;
  const { conn } = socket as { conn: { request: IncomingMessage | RemainingRequest } };
  (socket as { handshake: RealtimeSocket['handshake'] }).handshake = {
    issued,
    address,
    secure,
    xdomain,
    time: '',
    url: '',
    headers: NOTHING,
    query: NOTHING,
    auth: NOTHING,
  };
  if (!(conn.request instanceof RemainingRequest)) conn.request = new RemainingRequest(conn.request);
}

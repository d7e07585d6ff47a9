import { Injectable, Logger } from '@nestjs/common';
import { v7 as uuid } from 'uuid';
import { CONNECT_ERRORS, type ConnectErrorMessage, type WireError } from '../../contract/errors.js';
import { PROTOCOL_VERSION } from '../../contract/version.js';
import { AppError } from '../errors/app-error.js';
import { toAppError } from '../errors/to-app-error.js';
import { Readiness } from '../health/readiness.js';
import { assertAdministrator } from '../identity/administrator.js';
import { addressKey } from '../throttling/address-key.js';
import { Throttle } from '../throttling/throttle.js';
import { ClientAddress } from './client-address.js';
import { HandshakeLine, handshakeOver } from './handshake-line.js';
import { forgetHandshake } from './handshake-remains.js';
import { ADMIN_NAMESPACE, type RealtimeSocket } from './realtime-socket.js';
import { SocketAuthenticator } from './socket-authenticator.js';

/** What Socket.IO sends as `connect_error`: one of the fixed texts, and the `WireError` as `data`. */
class ConnectError extends Error {
  constructor(
    message: ConnectErrorMessage,
    readonly data: WireError,
  ) {
    super(message);
  }
}

class AlreadyAsked extends AppError {
  constructor() {
    super('FORBIDDEN', 'This connection is in the namespace already');
  }
}

/**
 * Admits a socket to a namespace: authenticates it once and leaves the actor in `socket.data`.
 * Runs as namespace middleware, because Nest's `handleConnection` does not hold messages back.
 */
@Injectable()
export class Handshake {
  private readonly logger = new Logger(Handshake.name);
  /** The namespaces each transport has asked for: a client may pipeline thousands of CONNECTs over one. */
  private readonly transports = new WeakMap<object, { id: string; namespaces: Set<string> }>();

  constructor(
    private readonly authenticator: SocketAuthenticator,
    private readonly throttle: Throttle,
    private readonly readiness: Readiness,
    private readonly line: HandshakeLine,
    private readonly addresses: ClientAddress,
  ) {}

  async admit(socket: RealtimeSocket, next: (error?: Error) => void): Promise<void> {
    const requestId = uuid();
    try {
      this.onlyOncePerTransport(socket);
      if (this.readiness.draining)
        throw new AppError('UNAVAILABLE', CONNECT_ERRORS.BUSY, { retryAfterMs: 1000 + Math.random() * 2000 });
      const auth = checkedAuth(socket.handshake.auth);
      if ('token' in socket.handshake.query)
        throw new AppError('UNAUTHENTICATED', CONNECT_ERRORS.UNAUTHENTICATED, {
          details: [{ path: 'query.token', problem: 'a token in the address is refused' }],
        });
      await this.line.enter(socket);
      const actor = await this.authenticator.authenticate(auth.token ?? bearer(socket));
      if (socket.nsp.name === ADMIN_NAMESPACE) assertAdministrator(actor);
      const { batch } = auth;
      Object.assign(socket.data, { actor, batch, address: this.addressOf(socket), activeAt: Date.now() });
      forgetHandshake(socket);
      socket.once('disconnect', () => this.leave(socket));
      next();
    } catch (error) {
      handshakeOver(socket);
      const refusal = await this.counted(socket, toAppError(error));
      if (!(error instanceof AlreadyAsked)) this.leave(socket);
      if (refusal.code === 'INTERNAL') this.logger.error({ requestId, err: error }, 'A handshake failed');
      next(new ConnectError(connectMessage(refusal), refusal.toWire(requestId)));
    }
  }

  private onlyOncePerTransport(socket: RealtimeSocket): void {
    const transport = this.transports.get(socket.conn) ?? { id: uuid(), namespaces: new Set() };
    this.transports.set(socket.conn, transport);
    if (transport.namespaces.has(socket.nsp.name)) throw new AlreadyAsked();
    transport.namespaces.add(socket.nsp.name);
    socket.data.connectionId = transport.id;
  }

  private leave(socket: RealtimeSocket): void {
    this.transports.get(socket.conn)?.namespaces.delete(socket.nsp.name);
  }

  private addressOf(socket: RealtimeSocket): string {
    return this.addresses.of(socket.request);
  }

  /** Above the limit of failures, an address is told to wait instead of why it failed. */
  private async counted(socket: RealtimeSocket, refusal: AppError): Promise<AppError> {
    if (refusal.status >= 500) return refusal;
    try {
      await this.throttle.check('failedHandshakes', addressKey(this.addressOf(socket)));
      return refusal;
    } catch (error) {
      return toAppError(error);
    }
  }
}

/** Middleware of the default namespace, in which there is nothing. */
export function refuseNamespace(_socket: unknown, next: (error: Error) => void): void {
  const refusal = new AppError('FORBIDDEN', 'There is nothing in this namespace');
  next(new ConnectError(CONNECT_ERRORS.FORBIDDEN, refusal.toWire(uuid())));
}

function bearer(socket: RealtimeSocket): string | undefined {
  return /^Bearer (\S+)$/i.exec(socket.handshake.headers.authorization ?? '')?.[1];
}

const AUTH_FIELDS: readonly string[] = ['token', 'protocol', 'batch'];

function checkedAuth(auth: Record<string, unknown>): { token?: string; batch: boolean } {
  const { token, protocol, batch = false } = auth;
  const unknown = Object.keys(auth).some((key) => !AUTH_FIELDS.includes(key));
  if (unknown) throw AppError.invalid('auth', 'has a field that is not known');
  if (token !== undefined && typeof token !== 'string')
    throw AppError.invalid('auth.token', 'must be a string');
  if (protocol !== undefined && protocol !== PROTOCOL_VERSION)
    throw AppError.invalid('auth.protocol', `must be ${String(PROTOCOL_VERSION)}`);
  if (typeof batch !== 'boolean') throw AppError.invalid('auth.batch', 'must be a boolean');
  return { token, batch };
}

function connectMessage({ code, message }: AppError): ConnectErrorMessage {
  switch (code) {
    case 'UNAUTHENTICATED':
      return Object.values(CONNECT_ERRORS).find((text) => text === message) ?? CONNECT_ERRORS.INVALID_TOKEN;
    case 'TOKEN_EXPIRED':
      return CONNECT_ERRORS.TOKEN_EXPIRED;
    case 'RATE_LIMITED':
    case 'UNAVAILABLE':
    case 'INTERNAL':
      return CONNECT_ERRORS.BUSY;
    default:
      return CONNECT_ERRORS.FORBIDDEN;
  }
}

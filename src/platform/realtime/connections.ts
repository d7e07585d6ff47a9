import { Inject, Injectable, Logger } from '@nestjs/common';
import { CLOSINGS, type ClosingCode } from '../../contract/errors.js';
import type { NamespaceName } from '../../contract/namespaces.js';
import type { UserRole } from '../../contract/views.js';
import type { Config } from '../config/config.js';
import { CONFIG } from '../config/config.module.js';
import { AppError } from '../errors/app-error.js';
import { toAppError } from '../errors/to-app-error.js';
import { DomainEvents } from '../events/domain-events.js';
import { ConnectionCount } from '../health/connection-count.js';
import { Readiness } from '../health/readiness.js';
import { WorkInFlight } from '../health/work-in-flight.js';
import type { Actor } from '../identity/actor.js';
import { Metrics } from '../metrics/metrics.js';
import { ConnectionActive, SocketClosed, SocketOpened } from './connections.events.js';
import { RecentEndings } from './recent-endings.js';
import { RealtimeServer } from './realtime-server.js';
import { ADMIN_NAMESPACE, sessionChannel, userChannel, type RealtimeSocket } from './realtime-socket.js';
import { SocketAuthenticator } from './socket-authenticator.js';
import { WakeUps } from './wake-ups.js';

/** A socket is told this long before its token expires, or when half of the time it has left is over. */
const EXPIRY_WARNING_MS = 60_000;
/** A drain waits this long for answers, and spreads the return of clients over this time. */
const DRAIN_WAIT_MS = 8000;
const DRAIN_SPREAD_MS = 5000;
/** The slow of one room are cut together: they do not come back together. */
const SLOW_SPREAD_MS = 4000;
/** Told at most this often, and more often only when the patience with the inactive is short. */
const ACTIVITY_STEP_MS = 10_000;

/** The sockets of this node by user, and their life: registered at the handshake, warned, renewed, closed. */
@Injectable()
export class Connections implements ConnectionCount {
  private readonly logger = new Logger(Connections.name);
  private readonly byUser = new Map<string, Set<RealtimeSocket>>();
  private readonly wakeUps = new WakeUps((socket) => this.expire(socket));
  private readonly endings = new RecentEndings();
  private readonly demotions = new RecentEndings();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly server: RealtimeServer,
    private readonly authenticator: SocketAuthenticator,
    private readonly metrics: Metrics,
    private readonly readiness: Readiness,
    private readonly work: WorkInFlight,
    private readonly events: DomainEvents,
  ) {}

  /** Transports that are open. */
  count(): number {
    return this.server.connections();
  }

  /** People with a socket. */
  userCount(): number {
    return this.byUser.size;
  }

  isOnline(userId: string): boolean {
    return this.byUser.has(userId);
  }

  /** Brings up a socket that passed the handshake: from here on revocation reaches it. `prepare` reads what it begins with. */
  async open(socket: RealtimeSocket, prepare: () => void | Promise<void>): Promise<void> {
    try {
      await this.register(socket);
      if (!socket.data.closing) await prepare();
    } catch (error) {
      // Nest ignores what `handleConnection` rejects with. Half open the socket is of no use: come again.
      const { code } = toAppError(error);
      if (code === 'INTERNAL')
        this.logger.error({ socketId: socket.id, err: error }, 'A socket could not be opened');
      this.closeAlone(socket, 'DRAIN', 1000 + Math.random() * 2000);
    }
  }

  private async register(socket: RealtimeSocket): Promise<void> {
    const { actor } = socket.data;
    const sockets = this.byUser.get(actor.userId) ?? new Set();
    this.byUser.set(actor.userId, sockets.add(socket));
    this.metrics.connections(socket.nsp.name, 1);
    socket.once('disconnect', () => this.forget(socket, actor.userId));
    // Before anything that may close it: listeners hear of the opening first.
    this.events.publish(new SocketOpened(actor.userId, socket.data.connectionId, namespaceOf(socket)));
    this.watchExpiry(socket);
    this.identify(socket, actor, socket.handshake.issued);
    if (this.readiness.draining) this.closeAlone(socket, 'DRAIN', Math.random() * DRAIN_SPREAD_MS);
    // Socket.IO would keep the rooms of a socket that is gone.
    if (socket.data.closing) return;
    await socket.join(channelsOf(actor));
    this.closeOldest(sockets);
  }

  /** `auth:refresh`: a newer token of the same user renews every socket of the connection. */
  async refresh(socket: RealtimeSocket, token: string): Promise<{ expiresAt: string }> {
    const askedAt = Date.now();
    const actor = await this.authenticator.authenticate(token);
    if (actor.userId !== socket.data.actor.userId)
      throw new AppError('FORBIDDEN', 'The token is of another user');
    await Promise.all(this.siblingsOf(socket).map((sibling) => this.renew(sibling, actor, askedAt)));
    return { expiresAt: new Date(actor.expiresAt).toISOString() };
  }

  /** A role decides what an open socket may do: it holds from here on, and who lost it leaves `/admin`. */
  changeRole(userId: string, role: UserRole): void {
    if (role === 'admin') this.demotions.remove(userChannel(userId));
    else this.demotions.add(userChannel(userId), 'ROLE_CHANGED');
    for (const socket of [...(this.byUser.get(userId) ?? [])]) this.setRole(socket, role);
  }

  /** The person at this socket did something. Listeners are told when the last time is a while ago: this runs for every send. */
  active({ data }: RealtimeSocket): void {
    const now = Date.now();
    if (now - data.activeAt < Math.min(ACTIVITY_STEP_MS, this.config.presence.awayMs / 10)) return;
    data.activeAt = now;
    this.events.publish(new ConnectionActive(data.actor.userId, data.connectionId));
  }

  closeSession(sessionId: string, userId: string, code: ClosingCode): void {
    this.endings.add(sessionChannel(sessionId), code);
    for (const socket of [...(this.byUser.get(userId) ?? [])])
      if (socket.data.actor.sessionId === sessionId) this.close(socket, code);
  }

  closeUser(userId: string, code: ClosingCode): void {
    this.endings.add(userChannel(userId), code);
    for (const socket of [...(this.byUser.get(userId) ?? [])]) this.close(socket, code);
  }

  /** Tells the socket why, refuses what it still sends, and closes its transport, whose other sockets are told too. */
  close(socket: RealtimeSocket, code: ClosingCode, retryAfterMs?: number): void {
    const siblings = this.siblingsOf(socket);
    // One that was told to come again, as in a drain, is still closed at once when it must not.
    const announced = siblings.filter((sibling) => this.announceClosing(sibling, code, retryAfterMs));
    if (announced.length > 0 || !CLOSINGS[code].reconnect) socket.disconnect(true);
  }

  /** Who calls ends their transport at once. These are told for what it is worth, and nothing they still send is done. */
  announceSlow(sockets: readonly RealtimeSocket[]): void {
    const retryAfterMs = 1000 + Math.random() * SLOW_SPREAD_MS;
    for (const socket of sockets) this.announceClosing(socket, 'SLOW_CONSUMER', retryAfterMs);
  }

  /** Of its namespace only: the others of the transport go on, and get the answers they wait for. */
  private closeAlone(socket: RealtimeSocket, code: ClosingCode, retryAfterMs?: number): void {
    this.announceClosing(socket, code, retryAfterMs);
    socket.disconnect(false);
  }

  /** The end of this instance, before anything else ends: nothing new, everybody is told to come again a little later, what is in flight gets its answers. */
  async drain(): Promise<void> {
    this.readiness.drain();
    for (const socket of this.all()) this.announceClosing(socket, 'DRAIN', Math.random() * DRAIN_SPREAD_MS);
    await this.work.idle(DRAIN_WAIT_MS);
    for (const socket of this.all()) socket.disconnect(true);
    this.wakeUps.stop();
  }

  private all(): RealtimeSocket[] {
    return [...this.byUser.values()].flatMap((sockets) => [...sockets]);
  }

  /** The sockets of the same connection, itself among them. */
  private siblingsOf({ conn, data }: RealtimeSocket): RealtimeSocket[] {
    return [...(this.byUser.get(data.actor.userId) ?? [])].filter((socket) => socket.conn === conn);
  }

  private announceClosing(socket: RealtimeSocket, code: ClosingCode, retryAfterMs?: number): boolean {
    if (socket.data.closing) return false;
    socket.data.closing = code;
    socket.emit('session:closing', {
      ...CLOSINGS[code],
      code,
      ...(retryAfterMs !== undefined && { retryAfterMs: Math.round(retryAfterMs) }),
    });
    this.logger.debug({ socketId: socket.id, userId: socket.data.actor.userId, code }, 'Closing a socket');
    return true;
  }

  private async renew(socket: RealtimeSocket, actor: Actor, askedAt: number): Promise<void> {
    const { sessionId } = socket.data.actor;
    if (sessionId !== actor.sessionId) {
      if (sessionId) await socket.leave(sessionChannel(sessionId));
      if (actor.sessionId) await socket.join(sessionChannel(actor.sessionId));
    }
    this.identify(socket, actor, askedAt);
    this.watchExpiry(socket);
  }

  /** Gives a socket an identity that was read after `readAt`: what ended or was taken since could not find it. */
  private identify(socket: RealtimeSocket, actor: Actor, readAt: number): void {
    const demoted = this.demotions.since(readAt, [userChannel(actor.userId)]) !== undefined;
    socket.data.actor = actor;
    this.setRole(socket, demoted ? 'user' : actor.role);
    const ended = this.endings.since(readAt, channelsOf(actor));
    if (ended) this.close(socket, ended);
  }

  private setRole(socket: RealtimeSocket, role: UserRole): void {
    const { actor } = socket.data;
    if (actor.role !== role) socket.data.actor = { ...actor, role };
    if (socket.nsp.name === ADMIN_NAMESPACE && role !== 'admin') this.closeAlone(socket, 'ROLE_CHANGED');
  }

  /** Never warns at once: a client that answers with one more short token would be warned again, without end. */
  private watchExpiry(socket: RealtimeSocket): void {
    const { expiresAt } = socket.data.actor;
    const left = expiresAt - Date.now();
    this.wakeUps.set(socket, expiresAt - Math.min(EXPIRY_WARNING_MS, left / 2));
  }

  private expire(socket: RealtimeSocket): void {
    const { expiresAt } = socket.data.actor;
    if (expiresAt <= Date.now()) {
      this.close(socket, 'TOKEN_EXPIRED');
      return;
    }
    socket.emit('session:expiring', { expiresAt: new Date(expiresAt).toISOString() });
    this.wakeUps.set(socket, expiresAt);
  }

  private forget(socket: RealtimeSocket, userId: string): void {
    this.wakeUps.delete(socket);
    this.metrics.connections(socket.nsp.name, -1);
    const sockets = this.byUser.get(userId);
    sockets?.delete(socket);
    if (sockets?.size === 0) this.byUser.delete(userId);
    this.events.publish(new SocketClosed(userId, socket.data.connectionId, namespaceOf(socket)));
  }

  /** Sets keep the order of insertion, so the first transport is the oldest. */
  private closeOldest(sockets: Set<RealtimeSocket>): void {
    const open = [...sockets].filter(({ data }) => !data.closing);
    const transports = new Set(open.map(({ conn }) => conn));
    if (transports.size <= this.config.limits.connectionsPerUser) return;
    const [oldest] = transports;
    for (const socket of open) if (socket.conn === oldest) this.close(socket, 'CONNECTION_LIMIT', 1000);
  }
}

/** The adapter admits to namespaces of gateways only. */
function namespaceOf({ nsp }: RealtimeSocket): NamespaceName {
  return nsp.name as NamespaceName;
}

function channelsOf({ userId, sessionId }: Actor): string[] {
  return [userChannel(userId), ...(sessionId ? [sessionChannel(sessionId)] : [])];
}

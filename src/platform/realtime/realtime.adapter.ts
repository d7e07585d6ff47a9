import type { IncomingMessage } from 'node:http';
import { Logger, type INestApplication } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import type { Namespace, Server, ServerOptions } from 'socket.io';
import { ACTIVITY_COMMANDS } from '../../contract/presence.js';
import { REDIS, type RedisClients } from '../cluster/redis.js';
import { adapterOver } from '../cluster/socketio-adapter.js';
import type { Config } from '../config/config.js';
import { CONFIG } from '../config/config.module.js';
import type { AppError } from '../errors/app-error.js';
import { WorkInFlight } from '../health/work-in-flight.js';
import { Metrics } from '../metrics/metrics.js';
import { Throttle } from '../throttling/throttle.js';
import { CommandDispatcher, type DispatcherHooks } from './command-dispatcher.js';
import { compileHandlers } from './compile-handlers.js';
import type { CompiledHandler } from './compiled-handler.js';
import type { Command } from './command.js';
import { Connections } from './connections.js';
import { FrameQueue } from './frame-queue.js';
import { Handshake, refuseNamespace } from './handshake.js';
import { RealtimeServer } from './realtime-server.js';
import type { RealtimeSocket } from './realtime-socket.js';
import { SocketIoAdminUi } from './socketio-admin-ui.js';

/** How long a connection that was closed for abuse stays away. */
const ABUSE_RETRY_AFTER_MS = 10_000;

/**
 * Socket.IO as Parley runs it: the only place with engine options (those of a second gateway on the port are
 * ignored), Origin check, authentication per namespace, and one dispatcher per socket in place of Nest's
 * chain of subscriptions per event.
 */
export class RealtimeAdapter extends IoAdapter implements DispatcherHooks {
  private readonly log = new Logger('Realtime');
  private readonly config: Config;
  private readonly server: RealtimeServer;
  private readonly frames: FrameQueue;
  private readonly handshake: Handshake;
  private readonly connections: Connections;
  private readonly adminUi: SocketIoAdminUi;
  private readonly throttle: Throttle;
  private readonly metrics: Metrics;
  private readonly work: WorkInFlight;
  private readonly redis: RedisClients | null;

  constructor(private readonly app: INestApplication) {
    super(app);
    this.config = app.get<Config>(CONFIG);
    this.server = app.get(RealtimeServer);
    this.frames = app.get(FrameQueue);
    this.handshake = app.get(Handshake);
    this.connections = app.get(Connections);
    this.adminUi = app.get(SocketIoAdminUi);
    this.throttle = app.get(Throttle);
    this.metrics = app.get(Metrics);
    this.work = app.get(WorkInFlight);
    this.redis = app.get<RedisClients | null>(REDIS);
  }

  override createIOServer(port: number): Server {
    const { limits, realtime, http } = this.config;
    const any = http.corsOrigins.includes('*');
    const options: Partial<ServerOptions> = {
      pingInterval: realtime.pingIntervalMs,
      pingTimeout: realtime.pingTimeoutMs,
      maxHttpBufferSize: limits.frameBytes,
      cors: { origin: any ? true : [...http.corsOrigins] },
      allowRequest: (request, decide) => decide(null, this.originAllowed(request)),
      // Recovery would skip the middleware and let a revoked user back in; resume is by position instead.
      connectionStateRecovery: undefined,
      // The client library is a dependency of the client, not a route of the server.
      serveClient: false,
    };
    const server = super.createIOServer(port, options as ServerOptions);
    if (this.redis) server.adapter(adapterOver(this.redis));
    this.frames.start(server);
    server.of('/').use(refuseNamespace);
    const compiled = compileHandlers(this.app);
    server.on('new_namespace', (namespace: Namespace) => {
      if (this.adminUi.owns(namespace.name)) return;
      const handlers = compiled.get(namespace.name) ?? new Map<string, CompiledHandler>();
      // Before Nest's own listener: what a socket sends from now on is received.
      namespace.on('connection', (socket) => {
        new CommandDispatcher(socket as RealtimeSocket, handlers, this).listen();
      });
      namespace.use((socket, next) => {
        this.frames.install(socket as RealtimeSocket);
        void this.handshake.admit(socket as RealtimeSocket, next);
      });
    });
    this.server.attach(server);
    this.adminUi.install(server);
    return server;
  }

  /** Nest binds its own handlers to each socket; ours are compiled, and shared by the sockets of a namespace. */
  override bindMessageHandlers(): void {
    return undefined;
  }

  /** No gateway has `handleDisconnect`: `compileHandlers` sees to it. */
  override bindClientDisconnect(): void {
    return undefined;
  }

  admitUnhandled(socket: RealtimeSocket): void | Promise<void> {
    return this.throttle.check('commands', socket.data.connectionId);
  }

  started(socket: RealtimeSocket, event: string): void {
    this.work.started();
    if (ACTIVITY_COMMANDS.has(event)) this.connections.active(socket);
  }

  answered(command: Command, result: 'ok' | AppError): void {
    const { socket } = command;
    this.work.ended();
    this.metrics.command(
      command.event,
      result === 'ok' ? 'ok' : result.code,
      performance.now() - command.startedAt,
    );
    if (result === 'ok') return;
    this.log.debug(
      {
        requestId: command.requestId,
        socketId: socket.id,
        userId: socket.data.actor.userId,
        command: command.event,
        code: result.code,
      },
      'A command was refused',
    );
    if (result.code === 'RATE_LIMITED') void this.closeOnAbuse(socket);
  }

  defect(command: Command, error: unknown): void {
    this.log.error({ requestId: command.requestId, command: command.event, err: error }, 'A command failed');
  }

  private async closeOnAbuse(socket: RealtimeSocket): Promise<void> {
    try {
      await this.throttle.check('refusals', socket.data.connectionId);
    } catch {
      this.connections.close(socket, 'TOO_MANY_REQUESTS', ABUSE_RETRY_AFTER_MS);
    }
  }

  /** CORS does not guard WebSocket upgrades: a page of a foreign origin is refused here. No Origin: not a browser. */
  private originAllowed(request: IncomingMessage): boolean {
    const { origin, host } = request.headers;
    if (origin === undefined) return true;
    const { corsOrigins } = this.config.http;
    return (
      corsOrigins.includes('*') ||
      corsOrigins.includes(origin) ||
      (URL.canParse(origin) && new URL(origin).host === host)
    );
  }
}

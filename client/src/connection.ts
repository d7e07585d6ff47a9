import { Manager, type Socket } from 'socket.io-client';
import type { ChatCommand, ChatCommands, ChatEvent, ChatEvents } from '../../src/contract/chat.js';
import { ERRORS, type ErrorCode } from '../../src/contract/errors.js';
import type { NamespaceName } from '../../src/contract/namespaces.js';
import type { Handshake } from '../../src/contract/socket.js';
import { PROTOCOL_VERSION } from '../../src/contract/version.js';
import { CommandQueue, type CommandOptions, type EmitCommand } from './command-queue.js';
import type {
  AnyEvent,
  CloseReason,
  ConnectionSignals,
  ConnectionState,
  Session,
  StateChange,
} from './connection-state.js';
import { isWireError, ParleyError } from './errors.js';
import { Network } from './network.js';
import { nextSession } from './session-wait.js';
import { jitter, obeying, type Timing } from './timing.js';
import { TokenRenewal } from './token-renewal.js';
import { TokenSource } from './token-source.js';
import { TypedEmitter } from './typed-emitter.js';

export interface ConnectionOptions {
  url: string;
  getToken: () => string | Promise<string>;
  path: string;
  transports: ('websocket' | 'polling')[];
  batch: boolean;
  timing: Timing;
}

/** Attempts that may fail in a row before the state says `offline`. */
const ATTEMPTS_BEFORE_OFFLINE = 4;
/** A connection that lived shorter than this does not reset the back-off. */
const STABLE_MS = 5000;
/** How long a server that announced the end may take to disconnect. */
const CLOSING_MS = 5000;

/**
 * The life of the one connection: handshake, renewal of the token, the server's wishes, and coming back.
 * socket.io-client carries packets only; whether and when to try again is decided here. `/chat` leads: the other
 * namespaces (`NamespaceLink`) come after it on the same transport, and end with it.
 */
export class Connection {
  readonly signals = new TypedEmitter<ConnectionSignals>();
  private readonly manager: Manager;
  private readonly socket: Socket;
  private readonly tokens: TokenSource;
  private readonly commands: CommandQueue<'/chat'>;
  private readonly renewal: TokenRenewal;
  private readonly network = new Network(
    () => {
      this.networkCame();
    },
    () => {
      this.networkWent();
    },
  );
  private change: StateChange = { state: 'idle' };
  private session?: Session;
  private handshakeToken = '';
  private wasReady = false;
  private readyAt = 0;
  private failures = 0;
  /** Whether this attempt's token came from the store, so that a refusal deserves one more try with a new one. */
  private usedKeptToken = false;
  private closing?: ChatEvents['session:closing'];
  private latestFailure?: ParleyError;
  private timer?: ReturnType<typeof setTimeout>;
  /** Grows with each attempt, so that an answer to an old one is recognised. */
  private attempt = 0;

  constructor(readonly options: ConnectionOptions) {
    this.tokens = new TokenSource(options.getToken);
    this.manager = new Manager(options.url, {
      path: options.path,
      transports: options.transports,
      tryAllTransports: true,
      autoConnect: false,
      reconnection: false,
      timeout: options.timing.connectMs,
    });
    this.socket = this.socketOf('/chat', () => this.handshakeToken, options.batch ? { batch: true } : {});
    this.renewal = new TokenRenewal({
      refresh: () => this.refresh(),
      whenReady: () => this.whenReady(),
      attempt: () => this.attempt,
      timing: options.timing,
    });
    const emit: EmitCommand = this.socket.emit.bind(this.socket);
    this.commands = new CommandQueue('/chat', emit, () => this.renew(), options.timing.commandMs);
    this.listen();
  }

  get state(): ConnectionState {
    return this.change.state;
  }
  get closeReason(): CloseReason | undefined {
    return this.change.reason;
  }
  /** Why the newest attempt came to nothing. */
  get lastFailure(): ParleyError | undefined {
    return this.latestFailure;
  }
  get currentSession(): Session | undefined {
    return this.session;
  }

  /** A socket of the one transport in a namespace, not connected yet. */
  socketOf(namespace: NamespaceName, token: () => string, more: Pick<Handshake, 'batch'> = {}): Socket {
    return this.manager.socket(namespace, {
      auth: (give: (auth: Handshake) => void) => {
        give({ token: token(), protocol: PROTOCOL_VERSION, ...more });
      },
    });
  }

  /** The token for one more handshake. */
  token(): Promise<string> {
    return this.tokens.current();
  }

  /** Starts unless it is on its way or there already. */
  start(): void {
    if (this.state !== 'idle' && this.state !== 'closed') return;
    this.failures = 0;
    this.wasReady = false;
    this.tokens.forget();
    this.network.listen();
    this.become('connecting');
    void this.tryOnce();
  }

  stop(reason: CloseReason, cause?: ParleyError): void {
    if (this.state === 'closed') return;
    this.attempt += 1;
    clearTimeout(this.timer);
    this.closing = undefined;
    this.network.stop();
    this.become('closed', reason);
    // Before the transport ends: what is under way is closed, not merely disconnected.
    this.commands.close(cause ?? new ParleyError('CLOSED', `the connection is closed (${reason})`));
    this.socket.disconnect();
  }

  /** Waits for the session; starts the connection when nobody has. CLOSED once it is closed. */
  send<K extends ChatCommand>(
    command: K,
    payload: ChatCommands[K]['payload'],
    options?: CommandOptions,
  ): Promise<ChatCommands[K]['result']> {
    if (this.state === 'closed') return Promise.reject(this.closedError());
    this.start();
    return this.commands.send(command, payload, options);
  }

  /** Resolves while connected, with the session; rejects when closed, or when the time is over. */
  whenReady(options: CommandOptions = {}): Promise<Session> {
    if (this.state === 'connected' && this.session !== undefined && this.closing === undefined)
      return Promise.resolve(this.session);
    if (this.state === 'closed') return Promise.reject(this.closedError());
    this.start();
    return nextSession(this, options);
  }

  /** What is rejected with once it is closed. */
  closedError(): ParleyError {
    const reason = this.change.reason ?? 'BY_CLIENT';
    const refusal = this.latestFailure?.code === reason ? this.latestFailure : undefined;
    return refusal ?? new ParleyError('CLOSED', `the connection is closed (${reason})`);
  }

  private become(state: ConnectionState, reason?: CloseReason): void {
    if (this.change.state === state) return;
    this.change = reason === undefined ? { state } : { state, reason };
    this.signals.emit('state', this.change);
  }

  private listen(): void {
    this.socket.on('connect_error', (error) => {
      this.refused(error);
    });
    this.socket.on('disconnect', (how) => {
      this.lost(how === 'io client disconnect');
    });
    this.socket.onAny((event: ChatEvent, payload: unknown) => {
      const arrival = { event, payload } as AnyEvent;
      if (arrival.event === 'session:ready') this.ready(arrival.payload);
      else if (arrival.event === 'session:closing') this.obey(arrival.payload);
      if (this.state === 'closed') return;
      this.signals.emit('event', arrival);
      if (arrival.event === 'session:expiring') this.expiring();
    });
  }

  private async tryOnce(): Promise<void> {
    const attempt = (this.attempt += 1);
    clearTimeout(this.timer);
    this.usedKeptToken = this.tokens.isKept;
    try {
      this.handshakeToken = await this.tokens.current();
    } catch (error) {
      if (attempt === this.attempt) this.tokenFailed(error);
      return;
    }
    if (attempt !== this.attempt) return;
    this.timer = setTimeout(() => {
      this.failed(new ParleyError('TIMEOUT', 'no session within the time for a connection attempt'));
    }, this.options.timing.connectMs);
    this.socket.connect();
  }

  private tokenFailed(error: unknown): void {
    const isFinal = error instanceof ParleyError ? !error.retryable : !this.wasReady;
    const reason =
      error instanceof ParleyError
        ? error
        : new ParleyError('UNAUTHENTICATED', 'getToken failed', { cause: error });
    this.latestFailure = reason;
    if (isFinal) this.stop(reason.code in ERRORS ? (reason.code as ErrorCode) : 'UNAUTHENTICATED', reason);
    else this.failed(reason);
  }

  /** The server refused the handshake, or could not be reached. */
  private refused(error: Error & { data?: unknown }): void {
    if (!isWireError(error.data)) {
      this.failed(new ParleyError('UNAVAILABLE', error.message, { cause: error }));
      return;
    }
    const refusal = ParleyError.fromWire(error.data);
    this.latestFailure = refusal;
    const deservesNewToken = refusal.code === 'TOKEN_EXPIRED' || refusal.code === 'UNAUTHENTICATED';
    if (deservesNewToken) this.tokens.forget();
    if (deservesNewToken && this.usedKeptToken) void this.tryOnce();
    else if (refusal.retryable) this.failed(refusal);
    else this.stop(error.data.code, refusal);
  }

  /** One attempt came to nothing: the next one later. */
  private failed(error: ParleyError): void {
    this.latestFailure = error;
    this.attempt += 1;
    this.socket.disconnect();
    this.failures += 1;
    const { timing } = this.options;
    const wait =
      error.retryAfterMs === undefined
        ? jitter(timing, this.failures - 1)
        : obeying(timing, error.retryAfterMs);
    this.tryLater(wait);
  }

  private tryLater(waitMs: number): void {
    clearTimeout(this.timer);
    if (this.failures >= ATTEMPTS_BEFORE_OFFLINE || this.network.isOffline) this.become('offline');
    else this.become(this.wasReady ? 'reconnecting' : 'connecting');
    this.timer = setTimeout(() => void this.tryOnce(), waitMs);
  }

  private ready(session: Session): void {
    const isOther = this.session !== undefined && this.session.userId !== session.userId;
    if (isOther && this.wasReady) {
      // What waits to be sent is of the one before.
      const cause = new ParleyError('FORBIDDEN', 'the token is of another user: close the client first');
      this.latestFailure = cause;
      this.stop('FORBIDDEN', cause);
      return;
    }
    clearTimeout(this.timer);
    this.session = session;
    this.tokens.expires(session.expiresAt, session.serverTime);
    this.wasReady = true;
    this.readyAt = Date.now();
    this.closing = undefined;
    if (isOther) this.signals.emit('otherUser', session);
    this.become('connected');
    this.signals.emit('ready', session);
    this.commands.open();
  }

  /** `session:closing`, in any namespace: stop at once, or finish what is under way and come back. */
  obey(closing: ChatEvents['session:closing']): void {
    if (!closing.reconnect) {
      // After the listeners of the event itself have run.
      queueMicrotask(() => {
        this.stop(closing.code);
      });
      return;
    }
    if (closing.code === 'TOKEN_EXPIRED') this.tokens.forget();
    this.closing = closing;
    this.commands.hold();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.socket.disconnect(), CLOSING_MS);
  }

  /** The transport ended, whoever ended it. */
  private lost(byUs: boolean): void {
    this.commands.lost();
    if (this.state === 'closed' || this.state === 'idle') return;
    if (this.state !== 'connected') {
      // An attempt that `failed` gave up ends here too; otherwise the server left before the session was ready.
      if (!byUs) this.failed(new ParleyError('UNAVAILABLE', 'disconnected before the session was ready'));
      return;
    }
    const { closing } = this;
    this.closing = undefined;
    const { timing } = this.options;
    if (Date.now() - this.readyAt >= STABLE_MS) this.failures = 0;
    const wait =
      closing === undefined ? jitter(timing, this.failures) : obeying(timing, closing.retryAfterMs ?? 0);
    this.failures += 1;
    this.become('reconnecting');
    this.tryLater(wait);
  }

  private networkCame(): void {
    if (this.state !== 'offline' && this.state !== 'reconnecting') return;
    this.failures = 0;
    this.become(this.wasReady ? 'reconnecting' : 'connecting');
    if (!this.socket.active) void this.tryOnce();
  }

  private networkWent(): void {
    if (this.state === 'connecting' || this.state === 'reconnecting') this.become('offline');
  }

  /** A new token for the living connection, in all its namespaces. */
  renew(): Promise<void> {
    return this.renewal.renew();
  }

  /** `session:expiring`, in any namespace. */
  expiring(): void {
    this.renewal.expiring();
  }

  private async refresh(): Promise<void> {
    const token = await this.tokens.fresh();
    if (!this.socket.connected) return;
    const { expiresAt } = await this.commands.send('auth:refresh', { token });
    this.tokens.expires(expiresAt);
  }
}

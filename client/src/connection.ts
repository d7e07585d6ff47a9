import { Manager, type Socket } from 'socket.io-client';
import type { ChatCommand, ChatCommands, ChatEvent, ChatEvents } from '../../src/contract/chat.js';
import { ERRORS, type ClosingCode, type ErrorCode } from '../../src/contract/errors.js';
import type { NamespaceName } from '../../src/contract/namespaces.js';
import { PROTOCOL_VERSION } from '../../src/contract/version.js';
import { CommandQueue, type CommandOptions, type EmitCommand } from './command-queue.js';
import { isWireError, ParleyError } from './errors.js';
import { jitter, obeying, sleep, type Timing } from './timing.js';
import { TokenSource } from './token-source.js';
import { TypedEmitter } from './typed-emitter.js';

/**
 * `idle`: not connected yet. `connecting`: the first attempts. `connected`: the session is ready.
 * `reconnecting`: lost, coming back. `offline`: several attempts failed or the device has no network; it goes on trying.
 * `closed`: it will not come back by itself.
 */
export type ConnectionState = 'idle' | 'connecting' | 'connected' | 'reconnecting' | 'offline' | 'closed';
/** Why it is closed: by `close()`, by the server's `session:closing`, or by a refused handshake. */
export type CloseReason = 'BY_CLIENT' | ClosingCode | ErrorCode;
export interface StateChange {
  state: ConnectionState;
  /** With `closed`. */
  reason?: CloseReason;
}
export type Session = ChatEvents['session:ready'];

export interface ConnectionOptions {
  url: string;
  getToken: () => string | Promise<string>;
  path: string;
  transports: ('websocket' | 'polling')[];
  timing: Timing;
}

type AnyEvent = { [K in ChatEvent]: { event: K; payload: ChatEvents[K] } }[ChatEvent];
export interface ConnectionSignals {
  state: StateChange;
  /** The session is ready. Runs before waiting commands leave. */
  ready: Session;
  event: AnyEvent;
}

interface NetworkSignals {
  addEventListener?: (event: 'online' | 'offline', listener: () => void) => void;
  removeEventListener?: (event: 'online' | 'offline', listener: () => void) => void;
  navigator?: { onLine?: boolean };
}

/** Attempts that may fail in a row before the state says `offline`. */
const ATTEMPTS_BEFORE_OFFLINE = 4;
/** A connection that lived shorter than this does not reset the back-off. */
const STABLE_MS = 5000;
/** Attempts to renew the token of a living connection; after them its end brings a new one. */
const RENEWALS = 5;
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
  private readonly network = globalThis as NetworkSignals;
  private change: StateChange = { state: 'idle' };
  private session?: Session;
  private handshakeToken = '';
  private wasReady = false;
  private readyAt = 0;
  private failures = 0;
  /** Whether this attempt's token came from the store, so that a refusal deserves one more try with a new one. */
  private usedKeptToken = false;
  private closing?: ChatEvents['session:closing'];
  private lastFailure?: ParleyError;
  private timer?: ReturnType<typeof setTimeout>;
  /** Grows with each attempt, so that an answer to an old one is recognised. */
  private attempt = 0;
  private renewing?: Promise<void>;
  /** The attempt whose token is being renewed: each namespace warns, one renewal serves all. */
  private renewalOf?: number;

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
    this.socket = this.socketOf('/chat', () => this.handshakeToken);
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
  get currentSession(): Session | undefined {
    return this.session;
  }

  /** A socket of the one transport in a namespace, not connected yet. */
  socketOf(namespace: NamespaceName, token: () => string): Socket {
    return this.manager.socket(namespace, {
      auth: (give: (auth: object) => void) => {
        give({ token: token(), protocol: PROTOCOL_VERSION });
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
    this.network.addEventListener?.('online', this.onOnline);
    this.network.addEventListener?.('offline', this.onOffline);
    this.become('connecting');
    void this.tryOnce();
  }

  stop(reason: CloseReason, cause?: ParleyError): void {
    if (this.state === 'closed') return;
    this.attempt += 1;
    clearTimeout(this.timer);
    this.closing = undefined;
    this.network.removeEventListener?.('online', this.onOnline);
    this.network.removeEventListener?.('offline', this.onOffline);
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
    return new Promise((resolve, reject) => {
      const { signal, timeoutMs } = options;
      const settle = (act: () => void) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        unsubscribe();
        act();
      };
      const fail = (error: ParleyError) => {
        settle(() => {
          reject(error);
        });
      };
      const abort = () => {
        fail(new ParleyError('ABORTED', 'the wait for a connection was aborted', { cause: signal?.reason }));
      };
      const unsubscribe = this.signals.on('state', ({ state }) => {
        const { session } = this;
        if (state === 'closed') fail(this.closedError());
        else if (state === 'connected' && session !== undefined)
          settle(() => {
            resolve(session);
          });
      });
      const timer =
        timeoutMs === undefined
          ? undefined
          : setTimeout(() => {
              fail(
                new ParleyError('TIMEOUT', `not connected within ${String(timeoutMs)} ms`, {
                  cause: this.lastFailure,
                }),
              );
            }, timeoutMs);
      if (signal?.aborted === true) abort();
      else signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** What is rejected with once it is closed. */
  closedError(): ParleyError {
    const reason = this.change.reason ?? 'BY_CLIENT';
    const refusal = this.lastFailure?.code === reason ? this.lastFailure : undefined;
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
    this.lastFailure = reason;
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
    this.lastFailure = refusal;
    const deservesNewToken = refusal.code === 'TOKEN_EXPIRED' || refusal.code === 'UNAUTHENTICATED';
    if (deservesNewToken) this.tokens.forget();
    if (deservesNewToken && this.usedKeptToken) void this.tryOnce();
    else if (refusal.retryable) this.failed(refusal);
    else this.stop(error.data.code, refusal);
  }

  /** One attempt came to nothing: the next one later. */
  private failed(error: ParleyError): void {
    this.lastFailure = error;
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
    if (this.failures >= ATTEMPTS_BEFORE_OFFLINE || this.network.navigator?.onLine === false)
      this.become('offline');
    else this.become(this.wasReady ? 'reconnecting' : 'connecting');
    this.timer = setTimeout(() => void this.tryOnce(), waitMs);
  }

  private ready(session: Session): void {
    clearTimeout(this.timer);
    this.session = session;
    this.tokens.expires(session.expiresAt, session.serverTime);
    this.wasReady = true;
    this.readyAt = Date.now();
    this.closing = undefined;
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

  private readonly onOnline = (): void => {
    if (this.state !== 'offline' && this.state !== 'reconnecting') return;
    this.failures = 0;
    this.become(this.wasReady ? 'reconnecting' : 'connecting');
    if (!this.socket.active) void this.tryOnce();
  };
  private readonly onOffline = (): void => {
    if (this.state === 'connecting' || this.state === 'reconnecting') this.become('offline');
  };

  /** A new token for the living connection, in all its namespaces. */
  renew(): Promise<void> {
    this.renewing ??= this.renewOnce().finally(() => (this.renewing = undefined));
    return this.renewing;
  }

  /** `session:expiring`, in any namespace. */
  expiring(): void {
    const { attempt } = this;
    if (this.renewalOf === attempt) return;
    this.renewalOf = attempt;
    void this.renewUntilDone(attempt).finally(() => {
      if (this.renewalOf === attempt) this.renewalOf = undefined;
    });
  }

  private async renewOnce(): Promise<void> {
    const token = await this.tokens.fresh();
    if (!this.socket.connected) return;
    const { expiresAt } = await this.commands.send('auth:refresh', { token });
    this.tokens.expires(expiresAt);
  }

  /** The warning may come before `session:ready`, as with a token that was nearly over: then it waits for that. */
  private async renewUntilDone(attempt: number): Promise<void> {
    for (let failures = 0; failures < RENEWALS; failures += 1) {
      try {
        await this.whenReady();
        // Another connection is warned by itself.
        if (attempt === this.attempt) await this.renew();
        return;
      } catch (error) {
        const failure = ParleyError.from(error);
        if (!failure.retryable) return;
        await sleep(jitter(this.options.timing, failures));
      }
    }
  }
}

import type { Socket } from 'socket.io-client';
import type { EventsOf, NamespaceName } from '../../src/contract/namespaces.js';
import type { SessionEvents } from '../../src/contract/session.js';
import {
  CommandQueue,
  type CommandName,
  type CommandOptions,
  type EmitCommand,
  type PayloadOf,
  type ResultOf,
} from './command-queue.js';
import type { Connection } from './connection.js';
import { isWireError, ParleyError } from './errors.js';
import { jitter, obeying } from './timing.js';
import { TypedEmitter, type Unsubscribe } from './typed-emitter.js';

/**
 * `idle`: not used yet, or the connection is down. `joining`, `joined`. `refused`: the server does not let one in
 * (`/admin` of those who are no administrators); the next use asks again.
 */
export type PartState = 'idle' | 'joining' | 'joined' | 'refused';

type SideNamespace = Exclude<NamespaceName, '/chat'>;

/** The event with which the server says that the socket is subscribed to everything of its user. */
const OPENING: { readonly [N in SideNamespace]: keyof EventsOf[N] & string } = {
  '/presence': 'presence:list',
  '/notifications': 'notification:counts',
  '/admin': 'admin:stats',
};

/**
 * A namespace beside `/chat` on the same connection. Joined the first time it is used, and again after every reconnect;
 * its refusal is its own, the end of the session that of the whole client.
 */
export class NamespaceLink<N extends SideNamespace> {
  private readonly states = new TypedEmitter<{ state: PartState }>();
  private readonly events = new TypedEmitter<EventsOf[N]>();
  private readonly commands: CommandQueue<N>;
  private readonly socket: Socket;
  private current: PartState = 'idle';
  private latestRefusal?: ParleyError;
  private isWanted = false;
  private token = '';
  /** Whether this join has been tried with a new token already. */
  private wasRenewed = false;
  private failures = 0;
  private timer?: ReturnType<typeof setTimeout>;
  /** Grows with each attempt and each end, so that what belongs to an old one is recognised. */
  private attempt = 0;

  constructor(
    private readonly namespace: N,
    readonly connection: Connection,
  ) {
    this.socket = connection.socketOf(namespace, () => this.token);
    const emit: EmitCommand = this.socket.emit.bind(this.socket);
    this.commands = new CommandQueue(
      namespace,
      emit,
      () => connection.renew(),
      connection.options.timing.commandMs,
    );
    this.listen();
  }

  get state(): PartState {
    return this.current;
  }

  /** Why the server does not let one in, while it is `refused`. */
  get refusal(): ParleyError | undefined {
    return this.current === 'refused' ? this.latestRefusal : undefined;
  }

  /** Joins as soon as there is a connection; does not start one. */
  use(): void {
    this.isWanted = true;
    const isOpen = this.connection.state === 'connected';
    if (isOpen && (this.current === 'idle' || this.current === 'refused')) void this.join();
  }

  /** Any command of the namespace. Waits for it, and rejects with a `ParleyError`; starts the connection when nobody has. */
  send<C extends CommandName<N>>(
    command: C,
    payload: PayloadOf<N, C>,
    options?: CommandOptions,
  ): Promise<ResultOf<N, C>> {
    const { connection } = this;
    if (connection.state === 'closed') return Promise.reject(connection.closedError());
    const answer = this.commands.send(command, payload, options);
    connection.start();
    this.use();
    return answer;
  }

  /** An event of the namespace, as it arrives. Listening alone does not join. */
  on<E extends keyof EventsOf[N]>(event: E, listener: (payload: EventsOf[N][E]) => void): Unsubscribe {
    return this.events.on(event, listener);
  }

  /** Runs before the commands that wait for `joined` leave. */
  onState(listener: (state: PartState) => void): Unsubscribe {
    return this.states.on('state', listener);
  }

  private listen(): void {
    this.connection.signals.on('ready', () => {
      if (this.isWanted) void this.join();
    });
    this.connection.signals.on('state', ({ state }) => {
      if (state === 'closed') this.commands.close(this.connection.closedError());
      if (state !== 'connected') this.leave('idle');
    });
    this.socket.on('connect_error', (error) => {
      this.refused(error);
    });
    this.socket.on('disconnect', (how) => {
      if (how === 'io client disconnect') return;
      if (this.current !== 'joined' && this.current !== 'joining') return;
      this.retry(jitter(this.connection.options.timing, this.failures));
    });
    this.socket.onAny((event: keyof EventsOf[N] & string, payload: EventsOf[N][typeof event]) => {
      this.receive(event, payload);
    });
  }

  private receive<E extends keyof EventsOf[N] & string>(event: E, payload: EventsOf[N][E]): void {
    if (this.current !== 'joined' && this.current !== 'joining') return;
    if (event === 'session:expiring') this.connection.expiring();
    else if (event === 'session:closing') this.obey(payload as SessionEvents['session:closing']);
    this.events.emit(event, payload);
    if (this.current === 'joining' && event === OPENING[this.namespace]) this.opened();
  }

  private async join(): Promise<void> {
    this.become('joining');
    const attempt = (this.attempt += 1);
    clearTimeout(this.timer);
    try {
      this.token = await this.connection.token();
    } catch (cause) {
      if (attempt !== this.attempt) return;
      const error = ParleyError.from(cause);
      if (error.retryable) this.retry(this.waitAfter(error));
      else this.end(error);
      return;
    }
    if (attempt !== this.attempt) return;
    const { timing } = this.connection.options;
    this.timer = setTimeout(() => {
      this.retry(jitter(timing, this.failures));
    }, timing.connectMs);
    this.socket.connect();
  }

  private opened(): void {
    clearTimeout(this.timer);
    this.failures = 0;
    this.wasRenewed = false;
    this.become('joined');
    this.commands.open();
  }

  /** A role that is gone ends this part only; everything else ends the connection, or begins a new one. */
  private obey(closing: SessionEvents['session:closing']): void {
    if (closing.code === 'ROLE_CHANGED') {
      this.end(new ParleyError('FORBIDDEN', `${this.namespace} was closed: the role has changed`));
      return;
    }
    this.commands.hold();
    this.connection.obey(closing);
  }

  /** The handshake failed. A transport that broke is for the connection to mend. */
  private refused(error: Error & { data?: unknown }): void {
    if (!isWireError(error.data)) {
      if (error.message === 'Invalid namespace')
        this.end(new ParleyError('NOT_FOUND', `the server has no ${this.namespace}`));
      return;
    }
    const { code } = error.data;
    const refusal = ParleyError.fromWire(error.data);
    const deservesNewToken = code === 'TOKEN_EXPIRED' || code === 'UNAUTHENTICATED';
    if (code === 'SUSPENDED' || code === 'SESSION_REVOKED') this.connection.stop(code, refusal);
    else if (deservesNewToken && !this.wasRenewed) this.joinRenewed(refusal);
    else if (refusal.retryable) this.retry(this.waitAfter(refusal));
    else this.end(refusal);
  }

  private joinRenewed(refusal: ParleyError): void {
    const { attempt } = this;
    clearTimeout(this.timer);
    this.wasRenewed = true;
    this.connection.renew().then(
      () => {
        if (attempt === this.attempt) void this.join();
      },
      () => {
        if (attempt === this.attempt) this.end(refusal);
      },
    );
  }

  private waitAfter(error: ParleyError): number {
    const { timing } = this.connection.options;
    return error.retryAfterMs === undefined
      ? jitter(timing, this.failures)
      : obeying(timing, error.retryAfterMs);
  }

  private retry(waitMs: number): void {
    this.failures += 1;
    this.leave('joining');
    this.timer = setTimeout(() => void this.join(), waitMs);
  }

  /** It will not open: what waits is rejected, until somebody uses it again. */
  private end(error: ParleyError): void {
    this.isWanted = false;
    this.wasRenewed = false;
    this.latestRefusal = error;
    this.leave('refused');
    this.commands.close(error);
  }

  private leave(state: PartState): void {
    this.attempt += 1;
    clearTimeout(this.timer);
    if (this.current === state && state === 'idle') return;
    this.commands.lost();
    this.become(state);
    // Also what only began, or socket.io-client would connect it by itself with the next transport.
    this.socket.disconnect();
  }

  private become(state: PartState): void {
    if (this.current === state) return;
    this.current = state;
    this.states.emit('state', state);
  }
}

import { Manager, type Socket } from 'socket.io-client';
import type { WireError } from '../../src/contract/errors.js';
import type { CommandsOf, EventsOf, NamespaceName } from '../../src/contract/namespaces.js';
import type { AuthSession } from '../../src/contract/rest.js';
import type { Ack } from '../../src/contract/socket.js';
import type { User } from '../../src/contract/views.js';
import { Inbox } from './inbox.js';

type Entry = { payload: unknown; result: unknown };
type PayloadOf<N extends NamespaceName, C extends keyof CommandsOf[N]> = (CommandsOf[N][C] &
  Entry)['payload'];
type ResultOf<N extends NamespaceName, C extends keyof CommandsOf[N]> = (CommandsOf[N][C] & Entry)['result'];

export interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

/** The event that says that the server has opened a socket. */
export const OPENING: { [N in NamespaceName]: keyof EventsOf[N] & string } = {
  '/chat': 'session:ready',
  '/presence': 'presence:list',
  '/notifications': 'notification:counts',
  '/admin': 'admin:stats',
};

/** A refused command, as the client sees it. */
export class Refused extends Error {
  constructor(readonly wire: WireError) {
    super(`${wire.code}: ${wire.message} ${JSON.stringify(wire.details ?? [])}`);
  }
}

export interface DeviceOptions {
  transports?: string[];
  /** Takes `message:batch`. Default false, as every client that does not ask for it. */
  batch?: boolean;
}

/** One socket of a person in one namespace, by an unmodified socket.io-client; what it is sent is in its inbox. */
export class Line<N extends NamespaceName> {
  readonly inbox = new Inbox();
  readonly socket: Socket;

  constructor(
    manager: Manager,
    readonly namespace: N,
    auth: { token: string; batch?: true },
  ) {
    this.socket = manager.socket(namespace, { auth });
    this.socket.onAny((event: string, payload: unknown) => this.inbox.record(event, payload));
    this.socket.on('connect_error', (error) => this.inbox.record('connect_error', error));
    this.socket.on('disconnect', (reason) => this.inbox.record('disconnect', reason));
  }

  async connect(): Promise<this> {
    this.socket.connect();
    await this.receives(OPENING[this.namespace]);
    return this;
  }

  disconnect(): void {
    this.socket.disconnect();
  }

  /** The raw acknowledgement. */
  async ack<C extends keyof CommandsOf[N] & string>(
    event: C,
    payload: unknown,
  ): Promise<Ack<ResultOf<N, C>>> {
    return (await this.socket.timeout(10_000).emitWithAck(event, payload)) as Ack<ResultOf<N, C>>;
  }

  async does<C extends keyof CommandsOf[N] & string>(
    event: C,
    payload: PayloadOf<N, C>,
  ): Promise<ResultOf<N, C>> {
    const answer = await this.ack(event, payload);
    if (answer.status === 'error') throw new Refused(answer.error);
    return answer;
  }

  /** The refusal; fails when the command succeeds. */
  async refused(event: string, payload: unknown): Promise<WireError> {
    const answer = await this.ack(event as keyof CommandsOf[N] & string, payload);
    if (answer.status === 'ok') throw new Error(`${event} was not refused: ${JSON.stringify(answer)}`);
    return answer.error;
  }

  /** The server has ended this socket. */
  isDisconnected(): Promise<void> {
    return this.inbox.until(() => this.inbox.all('disconnect').length > 0, 'a disconnect');
  }

  receives<E extends keyof EventsOf[N] & string>(event: E, fields: object = {}): Promise<EventsOf[N][E]> {
    return this.inbox.find<EventsOf[N][E]>(event, fields);
  }

  got<E extends keyof EventsOf[N] & string>(event: E): EventsOf[N][E][] {
    return this.inbox.all<EventsOf[N][E]>(event);
  }
}

/** A line of whichever namespace, for tests that hold in each. */
export interface AnyLine {
  readonly namespace: NamespaceName;
  readonly inbox: Inbox;
  connect(): Promise<unknown>;
  ack(command: never, payload: unknown): Promise<Ack<object>>;
}

/** A person at one device: REST, and a connection with `/chat` and, when they connect it, each other namespace. */
export class Actor extends Line<'/chat'> {
  readonly presence: Line<'/presence'>;
  readonly notifications: Line<'/notifications'>;
  readonly admin: Line<'/admin'>;

  constructor(
    private readonly url: string,
    readonly session: AuthSession,
    options: DeviceOptions = {},
  ) {
    const manager = new Manager(url, {
      transports: options.transports ?? ['websocket'],
      autoConnect: false,
      reconnection: false,
    });
    const auth = { token: session.accessToken };
    super(manager, '/chat', { ...auth, ...(options.batch && { batch: true }) });
    this.presence = new Line(manager, '/presence', auth);
    this.notifications = new Line(manager, '/notifications', auth);
    this.admin = new Line(manager, '/admin', auth);
  }

  get id(): string {
    return this.session.user.id;
  }

  get user(): User {
    return this.session.user;
  }

  /** Each of them, connected or not. */
  get lines(): AnyLine[] {
    return [this, this.presence, this.notifications, this.admin];
  }

  /** The device is gone, with all its sockets. */
  override disconnect(): void {
    for (const line of [this.presence, this.notifications, this.admin]) line.socket.disconnect();
    super.disconnect();
  }

  sends(roomId: string, content: string, more: Partial<PayloadOf<'/chat', 'message:send'>> = {}) {
    return this.does('message:send', { roomId, content, ...more });
  }

  /** Proves by a later event on the same road that nothing came before it. */
  async hasSeenEverythingOf(roomId: string, writer: Actor): Promise<void> {
    const { messageId } = await writer.sends(roomId, 'fence');
    await this.receives('message:new', { id: messageId });
  }

  /** The direct room with somebody, made when there is none. */
  async startsDirectWith(other: Actor): Promise<string> {
    const { room } = await this.does('room:create', { type: 'direct', memberIds: [other.id] });
    return room.id;
  }

  async rest(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    return request(this.url, method, path, body, {
      authorization: `Bearer ${this.session.accessToken}`,
      ...headers,
    });
  }
}

export async function request(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  let parsed: unknown = text;
  try {
    parsed = text === '' ? undefined : JSON.parse(text);
  } catch {
    // Not JSON: the caller looks at the text.
  }
  return { status: response.status, headers: response.headers, body: parsed };
}

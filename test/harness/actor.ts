import { io, type Socket } from 'socket.io-client';
import type { ChatCommand, ChatCommands } from '../../src/contract/commands.js';
import type { WireError } from '../../src/contract/errors.js';
import type { ChatEvent, ChatEvents } from '../../src/contract/events.js';
import type { AuthSession } from '../../src/contract/rest.js';
import type { Ack } from '../../src/contract/socket.js';
import type { User } from '../../src/contract/views.js';
import { Inbox } from './inbox.js';

export interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

/** A refused command, as the client sees it. */
export class Refused extends Error {
  constructor(readonly wire: WireError) {
    super(`${wire.code}: ${wire.message} ${JSON.stringify(wire.details ?? [])}`);
  }
}

/** A person at an unmodified socket.io-client and a REST client, without our SDK. */
export class Actor {
  readonly inbox = new Inbox();
  readonly socket: Socket;

  constructor(
    private readonly url: string,
    readonly session: AuthSession,
    options: { transports?: string[] } = {},
  ) {
    this.socket = io(`${url}/chat`, {
      auth: { token: session.accessToken },
      transports: options.transports ?? ['websocket'],
      forceNew: true,
      autoConnect: false,
      reconnection: false,
    });
    this.socket.onAny((event: string, payload: unknown) => this.inbox.record(event, payload));
    this.socket.on('connect_error', (error) => this.inbox.record('connect_error', error));
    this.socket.on('disconnect', (reason) => this.inbox.record('disconnect', reason));
  }

  get id(): string {
    return this.session.user.id;
  }

  get user(): User {
    return this.session.user;
  }

  async connect(): Promise<this> {
    this.socket.connect();
    await this.receives('session:ready');
    return this;
  }

  disconnect(): void {
    this.socket.disconnect();
  }

  /** The raw acknowledgement. */
  async ack<C extends ChatCommand>(event: C, payload: unknown): Promise<Ack<ChatCommands[C]['result']>> {
    return (await this.socket.timeout(10_000).emitWithAck(event, payload)) as Ack<ChatCommands[C]['result']>;
  }

  async does<C extends ChatCommand>(
    event: C,
    payload: ChatCommands[C]['payload'],
  ): Promise<ChatCommands[C]['result']> {
    const answer = await this.ack(event, payload);
    if (answer.status === 'error') throw new Refused(answer.error);
    return answer;
  }

  /** The refusal; fails when the command succeeds. */
  async refused(event: string, payload: unknown): Promise<WireError> {
    const answer = await this.ack(event as ChatCommand, payload);
    if (answer.status === 'ok') throw new Error(`${event} was not refused: ${JSON.stringify(answer)}`);
    return answer.error;
  }

  receives<E extends ChatEvent>(event: E, fields: object = {}): Promise<ChatEvents[E]> {
    return this.inbox.find<ChatEvents[E]>(event, fields);
  }

  got<E extends ChatEvent>(event: E): ChatEvents[E][] {
    return this.inbox.all<ChatEvents[E]>(event);
  }

  sends(roomId: string, content: string, more: Partial<ChatCommands['message:send']['payload']> = {}) {
    return this.does('message:send', { roomId, content, ...more });
  }

  /** Proves by a later event on the same road that nothing came before it. */
  async hasSeenEverythingOf(roomId: string, writer: Actor): Promise<void> {
    const { messageId } = await writer.sends(roomId, 'fence');
    await this.receives('message:new', { id: messageId });
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

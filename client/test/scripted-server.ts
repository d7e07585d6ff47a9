import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import type { Message } from '../../src/contract/views.js';

/** Waits of a client that is tested. */
export const FAST = { retryBaseMs: 20, retryMaxMs: 50, holeGraceMs: 20, commandMs: 3000, connectMs: 1000 };

type Ack = (answer: unknown) => void;
interface Refusal {
  message: string;
  code: string;
  retryable: boolean;
  retryAfterMs?: number;
}
type Handler = (payload: Record<string, unknown>, ack: Ack, socket: Socket) => void;

/** A Socket.IO server that does what a test says, in `/chat` and in the namespaces it opens. */
export class ScriptedServer {
  /** Of each handshake in `/chat`. */
  readonly tokens: unknown[] = [];
  /** Of each handshake in any namespace, whole. */
  readonly auths: object[] = [];
  readonly received: { event: string; payload: Record<string, unknown> }[] = [];
  readonly handlers = new Map<string, Handler>();
  refuse?: (token: unknown) => Refusal | undefined;
  /** What the server says to a socket ahead of `session:ready`. */
  beforeReady?: (socket: Socket) => void;
  readonly log: Message[] = [];
  rev = 0;
  /** Who is signed in by any token. */
  userId = 'me';
  private readonly http: HttpServer = createServer();
  private readonly io = new Server(this.http);

  async start(): Promise<string> {
    const chat = this.io.of('/chat');
    chat.use((socket, next) => {
      const { token } = socket.handshake.auth as { token: unknown };
      this.tokens.push(token);
      this.auths.push(socket.handshake.auth);
      admit(this.refuse?.(token), next);
    });
    chat.on('connection', (socket) => {
      this.answer(socket);
      const serverTime = new Date().toISOString();
      this.beforeReady?.(socket);
      socket.emit('session:ready', {
        userId: this.userId,
        expiresAt: new Date(Date.now() + 60_000).toISOString(),
        limits: {},
        serverTime,
      });
    });
    await new Promise<void>((resolve) => this.http.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${String((this.http.address() as AddressInfo).port)}`;
  }
  /** One more namespace. `opening`: what a socket is told when it is open. `refuse`: as for `/chat`. */
  open(
    namespace: string,
    opening: () => [event: string, payload: unknown],
    refuse?: (token: unknown) => Refusal | undefined,
  ): void {
    const side = this.io.of(namespace);
    side.use((socket, next) => {
      this.auths.push(socket.handshake.auth);
      admit(refuse?.((socket.handshake.auth as { token: unknown }).token), next);
    });
    side.on('connection', (socket) => {
      this.answer(socket);
      socket.emit(...opening());
    });
  }
  private answer(socket: Socket): void {
    socket.onAny((event: string, payload: Record<string, unknown>, ack: Ack) => {
      this.received.push({ event, payload });
      const handler = this.handlers.get(event);
      if (handler === undefined)
        ack({
          status: 'error',
          error: { code: 'UNKNOWN_EVENT', message: 'no', retryable: false, requestId: 'q' },
        });
      else handler(payload, ack, socket);
    });
  }
  sockets(namespace: string): Socket[] {
    return [...this.io.of(namespace).sockets.values()];
  }
  /** Open transports. */
  get transports(): number {
    return this.io.engine.clientsCount;
  }
  /** Cuts every transport without a word. */
  cut(): void {
    this.io.of('/chat').sockets.forEach((socket) => socket.conn.close());
  }
  emit(event: string, payload: unknown, namespace = '/chat'): void {
    this.io.of(namespace).emit(event, payload);
  }
  disconnect(): void {
    this.io.of('/chat').disconnectSockets();
  }
  count(event: string): number {
    return this.received.filter((each) => each.event === event).length;
  }
  async stop(): Promise<void> {
    await this.io.close();
  }

  /** One room `r` with a log. */
  serveRoom(): void {
    const room = () => ({
      id: 'r',
      name: 'R',
      type: 'public',
      history: 'full',
      lastSeq: this.log.length,
      rev: this.rev,
      members: { count: 1, online: 1 },
    });
    const readState = { roomId: 'r', lastReadSeq: 0, unread: 0, mentions: 0, version: 1 };
    const page = (since: number) => ({
      messages: this.log.filter(({ rev }) => rev > since),
      rev: this.rev,
      hasMore: false,
    });
    this.handlers.set('room:join', ({ since }, ack) => {
      const content =
        typeof since === 'number'
          ? { sync: page(since) }
          : { history: { messages: this.log, hasMore: false } };
      ack({ status: 'ok', room: room(), readState, ...content });
    });
    this.handlers.set('room:sync', ({ since }, ack) => {
      ack({ status: 'ok', ...page(Number(since)) });
    });
    this.handlers.set('room:positions', (_, ack) => {
      ack({ status: 'ok', positions: { r: this.rev } });
    });
    this.handlers.set('message:send', (payload, ack) => {
      const known = this.log.find(({ clientMessageId }) => clientMessageId === payload['clientMessageId']);
      const { id, seq, rev, createdAt } =
        known ?? this.write(String(payload['content']), String(payload['clientMessageId']), 'me');
      ack({ status: 'ok', messageId: id, seq, rev, createdAt, deduplicated: known !== undefined });
    });
  }
  write(content: string, clientMessageId?: string, sender = 'other', isLost = false): Message {
    this.rev += 1;
    const seq = this.log.length + 1;
    const written = {
      id: `m${String(seq)}`,
      roomId: 'r',
      seq,
      rev: this.rev,
      type: 'text',
      sender: { id: sender, name: sender },
      content,
      reactions: [],
      mentions: [],
      createdAt: '',
      ...(clientMessageId === undefined ? {} : { clientMessageId }),
    };
    this.log.push(written);
    if (!isLost) this.emit('message:new', written);
    return written;
  }
}

function admit(refusal: Refusal | undefined, next: (error?: Error) => void): void {
  if (refusal === undefined) next();
  else next(Object.assign(new Error(refusal.message), { data: { ...refusal, requestId: 'q' } }));
}

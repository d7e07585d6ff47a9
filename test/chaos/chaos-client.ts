import { setTimeout as sleep } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import type { SentMessage } from '../../src/contract/chat.js';
import { ERRORS } from '../../src/contract/errors.js';
import type { AuthSession } from '../../src/contract/rest.js';
import type { Ack } from '../../src/contract/socket.js';
import type { Message, SyncPage } from '../../src/contract/views.js';
import type { History } from './history.js';

const ANSWER_MS = 5000;
const RETRY_MS = 100;

interface Outgoing {
  roomId: string;
  clientMessageId: string;
  content: string;
  /** Its last attempt went out on this connection. */
  epoch: number;
}

/** What the client rule of `docs/protocol.md` needs to know of a room. */
interface Followed {
  rev: number;
  /** Live events that came early, by `rev`. */
  early: Map<number, Message>;
  syncing: boolean;
  /** Something came while syncing that needs another look. */
  again: boolean;
}

/**
 * An honest client on the bare protocol: it retries with the same id, in order, until it has an answer; buffers live
 * events by `rev` and fetches holes from the log; and writes everything it does and sees into the history.
 */
export class ChaosClient {
  private readonly socket: Socket;
  private readonly outgoing: Outgoing[] = [];
  private readonly rooms = new Map<string, Followed>();
  private epoch = 0;
  private ready = false;
  private counter = 0;
  private ended = false;

  constructor(
    readonly name: string,
    url: string,
    private readonly session: AuthSession,
    private readonly history: History,
  ) {
    this.socket = io(`${url}/chat`, {
      auth: { token: session.accessToken },
      transports: ['websocket'],
      forceNew: true,
      autoConnect: false,
      reconnectionDelay: 100,
      reconnectionDelayMax: 600,
    });
    // Live events come before `session:ready` already.
    this.socket.on('connect', () => (this.epoch += 1));
    this.socket.on('session:ready', () => this.onReady());
    this.socket.on('disconnect', (reason) => {
      this.ready = false;
      // Socket.IO comes back by itself unless the server said goodbye.
      if (reason === 'io server disconnect' && !this.ended) setTimeout(() => this.socket.connect(), RETRY_MS);
    });
    this.socket.on('connect_error', () => {
      if (!this.socket.active && !this.ended) setTimeout(() => this.socket.connect(), RETRY_MS);
    });
    this.socket.on('message:new', (message: Message) => this.onLive(message));
  }

  /** From here on it keeps itself connected. */
  connect(): void {
    this.socket.connect();
  }

  whenReady(): Promise<void> {
    return this.until(() => this.ready, 'the session to be ready');
  }

  end(): void {
    this.ended = true;
    this.socket.disconnect();
  }

  /** Becomes a member, and follows the room from its beginning. */
  async join(roomId: string, roomName: string): Promise<void> {
    const answer = await this.ask<object>('room:join', { roomId, roomName, since: 0 });
    if (answer?.status !== 'ok') throw new Error(`${this.name} could not join: ${JSON.stringify(answer)}`);
    this.rooms.set(roomId, { rev: 0, early: new Map(), syncing: false, again: false });
    void this.sync(roomId);
  }

  /** Sends that have no final answer yet. */
  get waiting(): number {
    return this.outgoing.length;
  }

  send(roomId: string): void {
    const number = ++this.counter;
    const clientMessageId = `${this.name}-${String(number)}`;
    const message = { roomId, clientMessageId, content: `${this.name} says ${String(number)}`, epoch: 0 };
    this.outgoing.push(message);
    if (this.ready) this.attempt(message);
  }

  /** Everything has an answer, and every room was read up to its head. */
  async settle(): Promise<void> {
    await this.until(() => this.ready && this.outgoing.length === 0, 'every send to be answered');
    for (const roomId of this.rooms.keys()) {
      await this.sync(roomId);
      await this.until(() => !this.rooms.get(roomId)?.syncing, `room ${roomId} to be current`);
    }
  }

  private onReady(): void {
    this.ready = true;
    // What is subscribed now comes live; what came before is in the log.
    for (const roomId of this.rooms.keys()) void this.sync(roomId);
    for (const message of [...this.outgoing]) this.attempt(message);
  }

  private attempt(message: Outgoing): void {
    const { roomId, clientMessageId, content } = message;
    const { epoch } = this;
    message.epoch = epoch;
    const op = this.history.invoke({
      process: this.name,
      epoch,
      senderId: this.session.user.id,
      roomId,
      clientMessageId,
      content,
    });
    this.socket
      .timeout(ANSWER_MS)
      .emit(
        'message:send',
        { roomId, clientMessageId, content },
        (lost: Error | null, ack: Ack<SentMessage>) => {
          if (lost) {
            this.history.add({ kind: 'info', op, reason: lost.message });
            this.retry(message, epoch);
          } else if (ack.status === 'ok') {
            const { messageId, seq, rev, deduplicated } = ack;
            this.history.add({ kind: 'ok', op, messageId, seq, rev, deduplicated });
            this.done(message);
          } else if (ERRORS[ack.error.code].retryable) {
            // It may have been written: only a final refusal is a promise.
            this.history.add({ kind: 'info', op, reason: ack.error.code });
            setTimeout(() => this.retry(message, epoch), RETRY_MS);
          } else {
            this.history.add({ kind: 'fail', op, code: ack.error.code });
            this.done(message);
          }
        },
      );
  }

  /** On the same connection; on a new one everything is sent again anyway. */
  private retry(message: Outgoing, epoch: number): void {
    if (this.ready && this.epoch === epoch && message.epoch === epoch) this.attempt(message);
  }

  private done(message: Outgoing): void {
    const at = this.outgoing.indexOf(message);
    if (at >= 0) this.outgoing.splice(at, 1);
  }

  private onLive(message: Message): void {
    const { roomId, rev } = message;
    const room = this.rooms.get(roomId);
    if (!room) return;
    this.history.add({ kind: 'live', process: this.name, epoch: this.epoch, roomId, rev });
    if (rev <= room.rev) return;
    room.early.set(rev, message);
    this.deliverEarly(room);
    if (room.early.size > 0) void this.sync(roomId);
  }

  private deliverEarly(room: Followed): void {
    for (let next = room.early.get(room.rev + 1); next; next = room.early.get(room.rev + 1))
      this.deliver(room, next);
    for (const rev of room.early.keys()) if (rev <= room.rev) room.early.delete(rev);
  }

  private deliver(room: Followed, { roomId, id, seq, rev, content }: Message): void {
    room.rev = rev;
    this.history.add({ kind: 'deliver', process: this.name, roomId, id, seq, rev, content });
  }

  /** Reads the log from where the room stands; a lost connection leaves the rest to the next `session:ready`. */
  private async sync(roomId: string): Promise<void> {
    const room = this.rooms.get(roomId);
    if (!room) return;
    room.again = true;
    if (room.syncing) return;
    room.syncing = true;
    while (room.again && this.ready) {
      room.again = false;
      const answer = await this.ask<SyncPage>('room:sync', { roomId, since: room.rev });
      if (answer?.status !== 'ok') {
        await sleep(RETRY_MS);
        room.again = true;
        continue;
      }
      if (answer.reset) {
        this.history.add({ kind: 'reset', process: this.name, roomId });
        room.rev = 0;
        room.early.clear();
        room.again = true;
        continue;
      }
      // Live events may have brought some of the page meanwhile.
      for (const message of answer.messages) if (message.rev > room.rev) this.deliver(room, message);
      room.rev = Math.max(room.rev, answer.rev);
      this.deliverEarly(room);
      if (answer.hasMore || room.early.size > 0) room.again = true;
      else this.history.add({ kind: 'current', process: this.name, roomId, rev: room.rev });
    }
    room.syncing = false;
  }

  private async ask<T>(event: string, payload: object): Promise<Ack<T> | undefined> {
    try {
      return (await this.socket.timeout(ANSWER_MS).emitWithAck(event, payload)) as Ack<T>;
    } catch {
      return undefined;
    }
  }

  private async until(holds: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + 20_000;
    while (!holds()) {
      if (Date.now() > deadline)
        throw new Error(
          `${this.name} waited in vain for ${what} (connected: ${String(this.socket.connected)})`,
        );
      await sleep(10);
    }
  }
}

import type {
  HistoryPage,
  JoinedRoom,
  JoinRoom,
  ReadHistory,
  SentMessage,
  ChatEvents,
} from '../../src/contract/chat.js';
import type { Message, ReadState, Room } from '../../src/contract/views.js';
import { CatchUp, startLog, type RoomWire } from './catch-up.js';
import { ParleyError } from './errors.js';
import type { Outgoing, OutgoingMessage, SendOptions } from './outgoing.js';
import { ReadStateView } from './read-state.js';
import { RoomLog, type Delivery } from './room-log.js';
import { TypedEmitter, type Unsubscribe } from './typed-emitter.js';
import { OwnTyping, Typists, type Typist } from './typing.js';

/** `left`: the membership ended, by oneself or by others. `closed`: this handle follows the room no longer. */
export type RoomStatus = 'idle' | 'joining' | 'joined' | 'left' | 'closed';

/** What a room handle tells. */
export interface RoomEvents {
  /** A new message, also of a thread, also one's own: each exactly once, in `seq` order, those missed while away too. */
  message: Message;
  /** An edit, a reaction, a pin, new thread counts; also of messages that are not loaded. */
  updated: Message;
  /** The tombstone. */
  deleted: Message;
  /** Too much was missed: `messages` is read afresh, and what lies between was not told. */
  reset: RoomHandle;
  /** Anything one can see changed: messages, outgoing, view, read state, typists or status. */
  change: RoomHandle;
  status: RoomStatus;
  /** The membership ended. `unknown`: it was found gone, for instance after a reconnect, or another person signed in. */
  left: { reason: 'left' | 'kicked' | 'banned' | 'unknown' };
  /** How far others have read. */
  read: ChatEvents['message:read']['cursors'];
  typing: readonly Typist[];
  signal: ChatEvents['room:signal'];
  'user-joined': ChatEvents['room:user-joined'];
  'user-left': ChatEvents['room:user-left'];
}

/** An event of `/chat` that belongs to a room. */
type RoomChatEvent = {
  [K in keyof ChatEvents]: ChatEvents[K] extends { roomId: string } | { room: Room }
    ? { event: K; payload: ChatEvents[K] }
    : never;
}[keyof ChatEvents];

/**
 * One room, followed: its messages in order and complete, whatever happens to the connection.
 * Get it from `client.room(id)`; it follows from `join()` until `leave()` or `close()`.
 */
export class RoomHandle {
  private readonly events = new TypedEmitter<RoomEvents>();
  private log = new RoomLog();
  private catchUp: CatchUp;
  private readStates: ReadStateView;
  private readonly ownTyping: OwnTyping;
  private readonly typing_: Typists;
  private current: RoomStatus = 'idle';
  private joining?: Promise<this>;
  private latestView?: Room;
  private reading?: Promise<void>;
  private readUpTo = 0;

  /** Made by the client. */
  constructor(
    readonly id: string,
    private readonly wire: RoomWire,
    private readonly out: Outgoing,
    private readonly onClose: () => void,
  ) {
    this.readStates = new ReadStateView(this.log, wire.userId);
    this.typing_ = new Typists(() => {
      this.events.emit('typing', this.typists);
      this.changed();
    });
    this.ownTyping = new OwnTyping((isTyping, threadId) => {
      const payload = threadId === undefined ? { roomId: id } : { roomId: id, threadId };
      wire
        .send(isTyping ? 'typing:start' : 'typing:stop', payload, { timeoutMs: 2000 })
        .catch(() => undefined);
    });
    this.catchUp = this.newCatchUp();
    out.isShown = (seq) => this.status !== 'joined' || seq <= this.log.lastSeq;
    out.onChange = () => {
      this.changed();
    };
  }

  get status(): RoomStatus {
    return this.current;
  }
  /** The room as the server last showed it; absent before the first join. */
  get view(): Room | undefined {
    return this.latestView;
  }
  /** How far one has read, with the unread messages; kept current between the server's reports. */
  get readState(): ReadState | undefined {
    return this.readStates.current;
  }
  /** What is loaded of the room, without the replies in threads, by `seq`; the same array until it changes. */
  get messages(): readonly Message[] {
    return this.log.messages();
  }
  /** Own messages the room does not show yet, in the order they were written. */
  get outgoing(): readonly OutgoingMessage[] {
    return this.out.messages;
  }
  /** Who types right now. */
  get typists(): readonly Typist[] {
    return this.typing_.current;
  }
  /** Whether everything the server is known to have is here. */
  get isCurrent(): boolean {
    return this.current === 'joined' && !this.log.isBehind && !this.catchUp.isBusy;
  }
  /** The room's change counter up to which everything is here. */
  get rev(): number {
    return this.log.rev;
  }

  on<K extends keyof RoomEvents>(event: K, listener: (payload: RoomEvents[K]) => void): Unsubscribe {
    return this.events.on(event, listener);
  }

  /** A loaded message by its id. */
  message(id: string): Message | undefined {
    return this.log.get(id);
  }
  /** The loaded replies of a thread, by `seq`. Read older ones with `history({ threadId })`. */
  thread(rootId: string): readonly Message[] {
    return this.log.messages(rootId);
  }

  /**
   * Becomes a member where that is possible, and follows the room. Joined already: nothing happens.
   * `roomName`: a room that does not exist is created, public, under this name.
   */
  join(options: Pick<JoinRoom, 'roomName'> = {}): Promise<this> {
    if (this.current === 'closed')
      return Promise.reject(new ParleyError('CLOSED', `the handle of room ${this.id} is closed`));
    if (this.current === 'joined') return Promise.resolve(this);
    this.joining ??= this.enter(options).finally(() => (this.joining = undefined));
    return this.joining;
  }

  /** Ends the membership. */
  async leave(): Promise<void> {
    await this.wire.send('room:leave', { roomId: this.id });
    this.end('left');
  }

  /** Stops following; the membership stays, and what is outgoing still leaves. */
  close(): void {
    if (this.current === 'closed') return;
    this.catchUp.stop();
    this.typing_.clear();
    this.out.isShown = () => true;
    this.out.onChange = () => undefined;
    this.become('closed');
    this.onClose();
  }

  /**
   * Sends a message; it shows in `outgoing` at once. Lost answers, rate limits and reconnects are retried with the same
   * id, in order, for as long as it takes: the promise settles when the server has taken or finally refused it.
   */
  send(content: string, options?: SendOptions): Promise<SentMessage> {
    if (this.current === 'closed')
      return Promise.reject(new ParleyError('CLOSED', `the handle of room ${this.id} is closed`));
    this.ownTyping.sent(options?.threadId);
    return this.out.send(content, options);
  }
  /** Sends a failed message again. */
  retry(clientMessageId: string): Promise<SentMessage> {
    return this.out.retry(clientMessageId);
  }
  /** Forgets a failed message. */
  discard(clientMessageId: string): void {
    this.out.discard(clientMessageId);
  }

  edit(messageId: string, content: string): Promise<Message> {
    return this.adopting(this.wire.send('message:edit', { messageId, content }));
  }
  delete(messageId: string, reason?: string): Promise<Message> {
    return this.adopting(
      this.wire.send('message:delete', reason === undefined ? { messageId } : { messageId, reason }),
    );
  }
  react(messageId: string, emoji: string, on = true): Promise<Message> {
    return this.adopting(this.wire.send('message:react', { messageId, emoji, on }));
  }
  pin(messageId: string, on = true): Promise<Message> {
    return this.adopting(this.wire.send('message:pin', { messageId, on }));
  }

  /** Marks as read up to this `seq`, or up to the newest message. Calls in quick succession become one command. */
  markRead(seq: number = this.log.lastSeq): Promise<void> {
    this.readUpTo = Math.max(this.readUpTo, seq);
    this.reading ??= this.report().finally(() => (this.reading = undefined));
    return this.reading;
  }

  /** Call it with every key press, and with `false` when the input is emptied; it is sent as rarely as the server wants it. */
  typing(isTyping = true, threadId?: string): void {
    if (this.current === 'joined') this.ownTyping.set(isTyping, threadId);
  }

  /**
   * Reads older messages of the room or of a thread: those before `before`, or before what is loaded.
   * They join `messages` when they join on to what is loaded there.
   */
  async history(options: Pick<ReadHistory, 'before' | 'threadId' | 'limit'> = {}): Promise<HistoryPage> {
    const loadedFrom = this.log.loadedFrom(options.threadId);
    if (options.before === undefined && loadedFrom === 0) return { messages: [], hasMore: false };
    const before = options.before ?? loadedFrom;
    const request: ReadHistory = { roomId: this.id };
    if (options.threadId !== undefined) request.threadId = options.threadId;
    if (options.limit !== undefined) request.limit = options.limit;
    if (before !== undefined) request.before = before;
    const page = await this.wire.send('message:history', request);
    if (this.log.isStarted) {
      this.log.merge(page, before, options.threadId);
      this.changed();
    }
    return page;
  }

  /** An event of this room. Called by the client. */
  receive({ event, payload }: RoomChatEvent): void {
    if (this.current !== 'joined' && this.current !== 'joining') return;
    switch (event) {
      case 'message:new':
      case 'message:updated':
      case 'message:deleted':
        this.deliver(this.log.receive(payload));
        this.catchUp.check();
        return;
      case 'message:batch':
        // One `change` for all of them: who draws the room draws it once.
        this.deliver(payload.messages.flatMap((message) => this.log.receive(message)));
        this.catchUp.check();
        return;
      case 'message:read':
        this.events.emit('read', payload.cursors);
        return;
      case 'room:updated':
        this.latestView = payload.room;
        this.changed();
        return;
      case 'room:removed':
        this.end(payload.reason);
        return;
      case 'room:read-state':
        this.readStates.apply(payload);
        this.changed();
        return;
      case 'typing:update':
        this.typing_.apply(payload);
        return;
      case 'room:signal':
        this.events.emit('signal', payload);
        return;
      case 'room:user-joined':
        this.events.emit('user-joined', payload);
        return;
      case 'room:user-left':
        this.typing_.apply({ ...payload, isTyping: false });
        this.events.emit('user-left', payload);
        return;
      default:
    }
  }

  /** The server's `rev` of this room, or undefined when one is not in it (any more). Called by the client. */
  position(rev: number | undefined): void {
    if (this.current !== 'joined') return;
    if (rev === undefined) {
      this.end('unknown');
      return;
    }
    this.log.heard(rev);
    this.catchUp.check();
  }

  /** The connection was lost and is back. Called by the client. */
  resume(): void {
    if (this.current === 'joined') this.catchUp.rejoin();
  }

  /**
   * Another person uses the client: what was known of the room is not theirs, nor is the membership. A join that is on
   * its way is theirs. Called by the client.
   */
  forget(): void {
    this.catchUp.stop();
    this.typing_.clear();
    this.log = new RoomLog();
    this.readStates = new ReadStateView(this.log, this.wire.userId);
    this.catchUp = this.newCatchUp();
    this.latestView = undefined;
    this.readUpTo = 0;
    if (this.current === 'joined') this.end('unknown');
    else this.changed();
  }

  private newCatchUp(): CatchUp {
    return new CatchUp(this.id, this.log, this.wire, {
      delivered: (deliveries) => {
        this.deliver(deliveries);
      },
      joined: (joined) => {
        this.show(joined);
      },
      reset: () => {
        this.events.emit('reset', this);
      },
      lost: (reason) => {
        this.end(reason);
      },
    });
  }

  private async enter(options: Pick<JoinRoom, 'roomName'>): Promise<this> {
    this.log.prepare();
    this.become('joining');
    try {
      const joined = await this.wire.send('room:join', { roomId: this.id, ...options });
      if (this.status === 'closed')
        throw new ParleyError('CLOSED', `the handle of room ${this.id} was closed`);
      startLog(this.log, joined);
      this.readStates.apply(joined.readState, true);
      this.show(joined);
    } catch (error) {
      if (this.status === 'joining') this.become('idle');
      throw error;
    }
    this.become('joined');
    // Live events after the caller had its turn to attach listeners: none is told to nobody.
    setTimeout(() => {
      if (this.status !== 'joined') return;
      this.deliver(this.log.release());
      this.catchUp.start();
    }, 0);
    return this;
  }

  private show(joined: JoinedRoom): void {
    this.latestView = joined.room;
    this.readStates.apply(joined.readState);
    this.changed();
  }

  private deliver(deliveries: Delivery[]): void {
    const me = this.wire.userId();
    for (const { kind, message } of deliveries)
      if (kind === 'created' && message.sender.id === me) this.out.shown(message);
    this.out.settle();
    for (const { kind, message } of deliveries)
      this.events.emit(kind === 'created' ? 'message' : kind, message);
    if (deliveries.length > 0) this.changed();
  }

  private async adopting(answer: Promise<{ message: Message }>): Promise<Message> {
    const { message } = await answer;
    if (message.roomId === this.id && this.current === 'joined') {
      this.log.adopt(message);
      this.changed();
      this.catchUp.check();
    }
    return message;
  }

  private async report(): Promise<void> {
    while (this.readUpTo > (this.readState?.lastReadSeq ?? 0)) {
      const seq = this.readUpTo;
      const { readState } = await this.wire.send('message:read', { roomId: this.id, seq });
      this.readStates.apply(readState);
      this.changed();
      if (this.readUpTo <= seq) return;
    }
  }

  private end(reason: RoomEvents['left']['reason']): void {
    if (this.current !== 'joined' && this.current !== 'joining') return;
    this.catchUp.stop();
    this.typing_.clear();
    this.become('left');
    this.events.emit('left', { reason });
  }

  private become(status: RoomStatus): void {
    this.current = status;
    this.events.emit('status', status);
    this.changed();
  }

  private changed(): void {
    this.events.emit('change', this);
  }
}

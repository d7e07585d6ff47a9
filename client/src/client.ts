import {
  type ChatCommand,
  type ChatCommands,
  type JoinRoom,
  CHAT_EVENTS,
  type ChatEvents,
} from '../../src/contract/chat.js';
import { CONTRACT_LIMITS } from '../../src/contract/limits.js';
import { AdminPart } from './admin.js';
import type { CommandOptions } from './command-queue.js';
import { Connection } from './connection.js';
import type { AnyEvent, CloseReason, ConnectionState, Session, StateChange } from './connection-state.js';
import { NamespaceLink } from './namespace-link.js';
import { NotificationsPart } from './notifications.js';
import { Outgoing } from './outgoing.js';
import { PresencePart } from './presence.js';
import { RoomHandle } from './room.js';
import { TIMING, type Timing } from './timing.js';
import { TypedEmitter, type Unsubscribe } from './typed-emitter.js';

/** How to reach a Parley server, and as whom. */
export interface ClientOptions {
  /** `https://chat.example.com`, without a path. */
  url: string;
  /**
   * Gives an access token. Asked once at a time: at the first connect, shortly before the token expires, and when the
   * server refuses it. Rejecting with a `ParleyError` that is not retryable closes the client; so does any rejection
   * before it was ever connected. Until `close()` the tokens are of one person: another's closes the client with
   * FORBIDDEN.
   */
  getToken: () => string | Promise<string>;
  /** Of the Socket.IO server. Default `/socket.io`. */
  path?: string;
  /** Tried in this order. Default `['websocket', 'polling']`. */
  transports?: ('websocket' | 'polling')[];
  /**
   * Whether several new messages of a room may come in one frame, which costs a busy client far less. It changes nothing
   * that is told. Default true.
   */
  batch?: boolean;
  /** Waits, for tests and unusual networks. */
  timing?: Partial<Timing>;
}

/** The events of `/chat`. A `message:batch` is told as the `message:new` it stands for. */
type ToldEvents = Omit<ChatEvents, 'message:batch'>;
type ToldEvent = keyof ToldEvents;

/** What `client.on` knows: every event of `/chat`, and the state of the connection. */
export interface ClientEvents extends ToldEvents {
  state: StateChange;
}

/**
 * One connection that comes back by itself: the commands, events and rooms of `/chat`, and a part for each other
 * namespace, which is joined when it is first used.
 */
export class ParleyClient {
  readonly presence: PresencePart;
  readonly notifications: NotificationsPart;
  readonly admin: AdminPart;
  private readonly connection: Connection;
  private readonly events = new TypedEmitter<ClientEvents>();
  private readonly anyEvents = new TypedEmitter<{
    any: [event: ToldEvent, payload: ToldEvents[ToldEvent]];
  }>();
  private readonly handles = new Map<string, RoomHandle>();
  private readonly outgoing = new Map<string, Outgoing>();
  private readonly timing: Timing;
  private positionsTimer?: ReturnType<typeof setInterval>;

  constructor(options: ClientOptions) {
    this.timing = { ...TIMING, ...options.timing };
    this.connection = new Connection({
      url: options.url,
      getToken: options.getToken,
      path: options.path ?? '/socket.io',
      transports: options.transports ?? ['websocket', 'polling'],
      batch: options.batch ?? true,
      timing: this.timing,
    });
    this.presence = new PresencePart(new NamespaceLink('/presence', this.connection));
    this.notifications = new NotificationsPart(new NamespaceLink('/notifications', this.connection));
    this.admin = new AdminPart(new NamespaceLink('/admin', this.connection));
    this.connection.signals.on('state', (change) => {
      this.watchPositions(change.state === 'connected');
      if (change.state === 'closed')
        for (const outgoing of this.outgoing.values()) outgoing.giveUp(this.connection.closedError());
      this.events.emit('state', change);
    });
    this.connection.signals.on('otherUser', () => {
      for (const outgoing of this.outgoing.values()) outgoing.forget();
      for (const handle of this.rooms) handle.forget();
    });
    this.connection.signals.on('ready', () => {
      // A handle that joined on this very connection is not 'joined' yet, so a first session resumes nothing.
      for (const handles of this.joinedHandles()) void this.resume(handles);
    });
    this.connection.signals.on('event', (arrival) => {
      this.receive(arrival);
    });
  }

  get state(): ConnectionState {
    return this.connection.state;
  }
  /** Why it is closed, while it is. */
  get closeReason(): CloseReason | undefined {
    return this.connection.closeReason;
  }
  /** The newest `session:ready`: who one is and the limits in force. */
  get session(): Session | undefined {
    return this.connection.currentSession;
  }
  get userId(): string | undefined {
    return this.session?.userId;
  }
  /** The handles that are not closed. */
  get rooms(): readonly RoomHandle[] {
    return [...this.handles.values()];
  }

  /**
   * Connects, and resolves with the session. Goes on trying while the server cannot be reached (or until `timeoutMs`,
   * which gives up the wait, not the attempts); rejects when the server refuses.
   */
  connect(options?: CommandOptions): Promise<Session> {
    this.connection.start();
    return this.connection.whenReady(options);
  }

  /**
   * Ends the connection; what is outgoing fails with `CLOSED`. `connect()` begins again, and joined rooms catch up. When
   * `getToken` gives another person's token by then, everything that was known is forgotten with their `session:ready`:
   * joined rooms are `left` (join them again), listeners and watches stay.
   */
  close(): void {
    this.connection.stop('BY_CLIENT');
  }

  /**
   * Any command of `/chat`. Waits for the connection, and rejects with a `ParleyError`. Reads are repeated by themselves when
   * their answer was lost; others reject with `DISCONNECTED`. For messages prefer `room.send`, which retries safely.
   */
  send<K extends ChatCommand>(
    command: K,
    payload: ChatCommands[K]['payload'],
    options?: CommandOptions,
  ): Promise<ChatCommands[K]['result']> {
    return this.connection.send(command, payload, options);
  }

  on<K extends keyof ClientEvents>(event: K, listener: (payload: ClientEvents[K]) => void): Unsubscribe {
    return this.events.on(event, listener);
  }

  /** Every event of `/chat` as it arrives, before order is restored; a `message:batch` as its `message:new`. */
  onAny(listener: (event: ToldEvent, payload: ToldEvents[ToldEvent]) => void): Unsubscribe {
    return this.anyEvents.on('any', ([event, payload]) => {
      listener(event, payload);
    });
  }

  /** The handle of a room; the same one until it is closed. It follows the room from `join()` on. */
  room(id: string): RoomHandle {
    const known = this.handles.get(id);
    if (known !== undefined) return known;
    const { connection, timing } = this;
    const wire = {
      send: connection.send.bind(connection),
      whenReady: () => connection.whenReady(),
      userId: () => this.userId,
      timing,
    };
    const outgoing =
      this.outgoing.get(id) ??
      new Outgoing(id, {
        send: (message) => connection.send('message:send', message),
        whenReady: wire.whenReady,
        timing,
      });
    this.outgoing.set(id, outgoing);
    const handle = new RoomHandle(id, wire, outgoing, () => this.handles.delete(id));
    this.handles.set(id, handle);
    return handle;
  }

  /** `client.room(id).join(options)`. */
  join(id: string, options?: Pick<JoinRoom, 'roomName'>): Promise<RoomHandle> {
    return this.room(id).join(options);
  }

  private receive(arrival: AnyEvent): void {
    const roomId = roomOf(arrival.payload);
    const handle = roomId === undefined ? undefined : this.handles.get(roomId);
    handle?.receive(arrival as Parameters<RoomHandle['receive']>[0]);
    if (arrival.event !== 'message:batch') this.tell(arrival.event, arrival.payload);
    else
      for (const message of arrival.payload.messages) {
        // A listener may have closed the client.
        if (this.state === 'closed') return;
        this.tell('message:new', message);
      }
  }

  private tell<K extends ToldEvent>(event: K, payload: ToldEvents[K]): void {
    this.anyEvents.emit('any', [event, payload]);
    if (CHAT_EVENTS.includes(event)) this.events.emit(event, payload as ClientEvents[K]);
  }

  private *joinedHandles(): Generator<RoomHandle[]> {
    const joined = this.rooms.filter((handle) => handle.status === 'joined');
    for (let from = 0; from < joined.length; from += CONTRACT_LIMITS.positionRooms)
      yield joined.slice(from, from + CONTRACT_LIMITS.positionRooms);
  }

  private async positionsOf(handles: RoomHandle[]): Promise<Record<string, number> | undefined> {
    try {
      return (await this.send('room:positions', { roomIds: handles.map((handle) => handle.id) })).positions;
    } catch {
      return undefined;
    }
  }

  /** After a reconnect. Rooms one was removed from meanwhile are not joined again behind their owners' back. */
  private async resume(handles: RoomHandle[]): Promise<void> {
    const positions = await this.positionsOf(handles);
    for (const handle of handles) {
      if (positions !== undefined && !(handle.id in positions)) handle.position(undefined);
      else handle.resume();
    }
  }

  /** The tail of a room may get lost without a hole that shows it. */
  private watchPositions(isConnected: boolean): void {
    clearInterval(this.positionsTimer);
    if (!isConnected) return;
    this.positionsTimer = setInterval(() => {
      for (const handles of this.joinedHandles()) void this.comparePositions(handles);
    }, this.timing.positionsMs);
  }

  private async comparePositions(handles: RoomHandle[]): Promise<void> {
    const positions = await this.positionsOf(handles);
    if (positions !== undefined) for (const handle of handles) handle.position(positions[handle.id]);
  }
}

/** A client of the Parley server at `url`. Nothing is sent before `connect()` or the first command. */
export const createClient = (options: ClientOptions): ParleyClient => new ParleyClient(options);

function roomOf(payload: unknown): string | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  if ('roomId' in payload && typeof payload.roomId === 'string') return payload.roomId;
  if ('room' in payload && typeof payload.room === 'object' && payload.room !== null && 'id' in payload.room)
    return String(payload.room.id);
  return undefined;
}

import { CONTRACT_LIMITS } from '../../src/contract/limits.js';
import type { Message } from '../../src/contract/views.js';

/** What the log gives out, in the order in which the application should see it. */
export interface Delivery {
  kind: 'created' | 'updated' | 'deleted';
  message: Message;
}
/** A room as a join shows it: its counters, and the newest messages read after them. */
export interface LogStart {
  rev: number;
  lastSeq: number;
  messages: Message[];
  hasMore: boolean;
  /** False in rooms whose server never shows excerpts (`history: 'since_join'`). */
  excerpts: boolean;
}

/** Events kept while an earlier one is missing; above it the newest are dropped, which only makes the coming sync longer. */
const MAX_AHEAD = 2000;
/** Messages kept without being asked for; the oldest go first and can be read again. */
const KEPT = 1000;
const MAIN = '';

const listOf = (message: Message): string => message.threadId ?? MAIN;
const excerptOf = (message: Message): string =>
  message.deletedAt !== undefined
    ? ''
    : Array.from(message.content).slice(0, CONTRACT_LIMITS.excerptLength).join('');

/**
 * The state of one room from its change log, without any I/O.
 * Events may come in any order, twice or never; with a sync page for what never came, it gives every change in `rev`
 * order, every `seq` as created exactly once and in `seq` order, and ends in the state the server has.
 *
 * A message that was deleted before it could be given is given as deleted only.
 */
export class RoomLog {
  private started = false;
  private held = false;
  private position = 0;
  private head = 0;
  private newest = 0;
  private derivesExcerpts = true;
  private limit = KEPT;
  private readonly byId = new Map<string, Message>();
  /** Events above the position, by `rev`. */
  private readonly ahead = new Map<number, Message>();
  /** `seq`s the application got with a page before their event came. */
  private readonly early = new Set<number>();
  /** From which `seq` on a list (the room's or a thread's) is loaded; 0: from its beginning. */
  private readonly floors = new Map<string, number>();
  private defaultFloor = 1;
  /** Ids of loaded replies by the message they reply to. */
  private readonly replies = new Map<string, Set<string>>();
  /** Excerpts of messages that are not loaded but were heard of. */
  private readonly heardExcerpts = new Map<string, { rev: number; excerpt: string }>();
  private readonly lists = new Map<string, readonly Message[]>();

  /** The last `rev` that is applied without a hole before it: the next `since`. */
  get rev(): number {
    return this.position;
  }
  /** The highest `seq` given. */
  get lastSeq(): number {
    return this.newest;
  }
  get isStarted(): boolean {
    return this.started;
  }
  /** Whether the room has moved further than what was received without a hole. */
  get isBehind(): boolean {
    return this.started && this.head > this.position;
  }

  /** Keeps what arrives from now on for the coming `start`. */
  prepare(): void {
    this.started = false;
    this.ahead.clear();
    this.head = 0;
  }

  /** Begins, or begins afresh. Gives nothing until `release`, so that the application can attach its listeners. */
  start(room: LogStart): void {
    for (const part of [this.byId, this.early, this.floors, this.replies, this.heardExcerpts, this.lists])
      part.clear();
    this.started = true;
    this.held = true;
    this.position = room.rev;
    this.newest = room.lastSeq;
    this.limit = KEPT;
    this.derivesExcerpts = room.excerpts;
    this.defaultFloor = room.lastSeq + 1;
    this.floors.set(MAIN, room.hasMore ? (room.messages[0]?.seq ?? room.lastSeq + 1) : 0);
    for (const message of room.messages) this.store(message);
    this.rememberEarly(room.messages);
    this.forgetAhead();
    this.head = Math.max(room.rev, ...this.ahead.keys());
  }

  release(): Delivery[] {
    this.held = false;
    return this.drain();
  }

  /** One live event. */
  receive(message: Message): Delivery[] {
    this.heard(message.rev);
    if (message.rev <= this.position && this.started) return [];
    if (this.ahead.size < MAX_AHEAD || message.rev === this.position + 1)
      this.ahead.set(message.rev, message);
    return this.drain();
  }

  /** The room is known to have come to this `rev`. */
  heard(rev: number): void {
    this.head = Math.max(this.head, rev);
  }

  /** All pages of a sync that began at or below the position, up to `rev`. */
  applySync(messages: Message[], rev: number): Delivery[] {
    const fresh = messages.filter((message) => message.rev > this.position);
    const isNew = (message: Message) => message.seq > this.newest;
    const created = fresh.filter(isNew).sort((a, b) => a.seq - b.seq || a.rev - b.rev);
    const changed = fresh.filter((message) => !isNew(message)).sort((a, b) => a.rev - b.rev);
    const deliveries = [...created, ...changed].flatMap((message) => this.deliver(message));
    this.position = Math.max(this.position, rev);
    this.heard(this.position);
    this.forgetAhead();
    return [...deliveries, ...this.drain()];
  }

  /**
   * Takes a page of the history of the room or of a thread. Only a page that joins on to what is loaded extends it;
   * of any other only the newer states of loaded messages are taken. Says whether it joined on.
   */
  merge(
    page: { messages: Message[]; hasMore: boolean },
    before: number | undefined,
    threadId?: string,
  ): boolean {
    const list = threadId ?? MAIN;
    const floor = this.floors.get(list) ?? this.defaultFloor;
    const joinsOn = before === undefined || before >= floor;
    if (joinsOn) {
      const lowest = page.messages[0]?.seq ?? before ?? floor;
      this.floors.set(list, page.hasMore ? Math.min(floor, lowest) : 0);
      this.limit += page.messages.length;
    }
    for (const message of page.messages) this.store(message);
    this.rememberEarly(page.messages);
    return joinsOn;
  }

  /** The state an own command was answered with, before its event comes. */
  adopt(message: Message): void {
    if (!this.byId.has(message.id)) return;
    this.store(message);
    this.heard(message.rev);
  }

  /** The first `seq` of what is loaded: 0 from the beginning, undefined for a thread that was never read. */
  loadedFrom(threadId: string = MAIN): number | undefined {
    return this.floors.get(threadId);
  }

  /** What is loaded of the room (or of a thread), in `seq` order; the same array until it changes. */
  messages(threadId: string = MAIN): readonly Message[] {
    const cached = this.lists.get(threadId);
    if (cached !== undefined) return cached;
    const list = [...this.byId.values()]
      .filter((message) => listOf(message) === threadId)
      .sort((a, b) => a.seq - b.seq);
    this.lists.set(threadId, list);
    return list;
  }

  get(id: string): Message | undefined {
    return this.byId.get(id);
  }

  /** Whether everything of the list from this `seq` on is loaded. */
  covers(seq: number, threadId: string = MAIN): boolean {
    return this.started && (this.floors.get(threadId) ?? this.defaultFloor) <= seq;
  }

  private drain(): Delivery[] {
    const deliveries: Delivery[] = [];
    if (!this.started || this.held) return deliveries;
    for (
      let next = this.ahead.get(this.position + 1);
      next !== undefined;
      next = this.ahead.get(this.position + 1)
    ) {
      this.position += 1;
      this.ahead.delete(this.position);
      deliveries.push(...this.deliver(next));
    }
    return deliveries;
  }

  private deliver(message: Message): Delivery[] {
    const isNew = message.seq > this.newest;
    const before = this.byId.get(message.id);
    if (isNew) this.newest = message.seq;
    const wasGiven = this.early.delete(message.seq) || !isNew;
    this.store(message);
    const current = this.byId.get(message.id) ?? message;
    if (wasGiven) {
      // A page already brought a newer state; its own event is still to come.
      if (current.rev > message.rev) return [];
      if (isNew && before?.rev === message.rev) return [];
      const isDeletion =
        current.deletedAt !== undefined && (before?.deletedAt === undefined || before.rev === message.rev);
      return [{ kind: isDeletion ? 'deleted' : 'updated', message: current }];
    }
    return [{ kind: current.deletedAt === undefined ? 'created' : 'deleted', message: current }];
  }

  /** Takes a state of a message unless it is known in the same or a newer one, or lies before what is loaded. */
  private store(message: Message): void {
    const known = this.byId.get(message.id);
    if (known !== undefined && known.rev >= message.rev) return;
    const list = listOf(message);
    if (known === undefined && message.seq < (this.floors.get(list) ?? this.defaultFloor)) {
      this.hearExcerpt(message);
      return;
    }
    if (known?.replyTo !== undefined) this.replies.get(known.replyTo.id)?.delete(message.id);
    this.byId.set(message.id, this.withExcerpt(message));
    this.lists.delete(list);
    if (message.replyTo !== undefined) {
      const replies = this.replies.get(message.replyTo.id) ?? new Set();
      this.replies.set(message.replyTo.id, replies.add(message.id));
    }
    this.refreshReplies(message.id);
    if (known === undefined) this.trim();
  }

  /** The excerpt in a reply is derived from the message replied to, so a newer state of that one changes it. */
  private refreshReplies(targetId: string): void {
    for (const id of this.replies.get(targetId) ?? []) {
      const reply = this.byId.get(id);
      if (reply === undefined) continue;
      const refreshed = this.withExcerpt(reply);
      if (refreshed === reply) continue;
      this.byId.set(id, refreshed);
      this.lists.delete(listOf(reply));
    }
  }

  private withExcerpt(message: Message): Message {
    if (message.replyTo === undefined || !this.derivesExcerpts) return message;
    const target = this.byId.get(message.replyTo.id);
    const excerpt =
      target === undefined ? this.heardExcerpts.get(message.replyTo.id)?.excerpt : excerptOf(target);
    if (excerpt === undefined || excerpt === message.replyTo.excerpt) return message;
    return { ...message, replyTo: { ...message.replyTo, excerpt } };
  }

  private hearExcerpt(message: Message): void {
    if ((this.heardExcerpts.get(message.id)?.rev ?? 0) >= message.rev) return;
    this.heardExcerpts.delete(message.id);
    this.heardExcerpts.set(message.id, { rev: message.rev, excerpt: excerptOf(message) });
    for (const oldest of this.heardExcerpts.keys()) {
      if (this.heardExcerpts.size <= KEPT) break;
      this.heardExcerpts.delete(oldest);
    }
    this.refreshReplies(message.id);
  }

  private rememberEarly(messages: Message[]): void {
    for (const message of messages)
      if (message.seq > this.newest && this.byId.has(message.id)) this.early.add(message.seq);
  }

  private forgetAhead(): void {
    for (const rev of this.ahead.keys()) if (rev <= this.position) this.ahead.delete(rev);
  }

  /** Keeps a room that is open for days from growing without end. */
  private trim(): void {
    if (this.byId.size <= this.limit * 1.2) return;
    const all = [...this.byId.values()].sort((a, b) => a.seq - b.seq);
    for (const message of all.slice(0, this.byId.size - this.limit)) {
      this.byId.delete(message.id);
      if (message.replyTo !== undefined) this.replies.get(message.replyTo.id)?.delete(message.id);
      this.hearExcerpt(message);
      const list = listOf(message);
      this.floors.set(list, Math.max(this.floors.get(list) ?? this.defaultFloor, message.seq + 1));
    }
    this.lists.clear();
  }
}

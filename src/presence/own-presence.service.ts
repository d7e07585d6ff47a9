import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { OwnPresence, SetPresence } from '../contract/presence.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { DomainEvents } from '../platform/events/domain-events.js';
import type { Actor } from '../platform/identity/actor.js';
import { AppError } from '../platform/errors/app-error.js';
import { OwnPresenceChanged, PresenceChanged } from './presence.events.js';
import { assertUntil } from './presence.policy.js';
import { PresenceRepository, type StoredPresence } from './presence.repository.js';
import { ownView } from './presence.view.js';
import { Roster } from './roster.service.js';

/** A choice was committed. */
class PresenceChosen {
  constructor(readonly row: StoredPresence) {}
}

/** The database decides by its own clock what is over: it is asked a little later, and again when it disagrees. */
const LATER_MS = 5;
const AGAIN_MS = 100;
/** `setTimeout` fires at once above this. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What people choose to show. It ends by itself: nothing is written then, those who are connected are told. */
@Injectable()
export class OwnPresences implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(OwnPresences.name);
  /** When choices of users of this node end, in ms since the epoch. */
  private readonly ends = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private wakesAt = Infinity;

  constructor(
    private readonly repository: PresenceRepository,
    private readonly unitOfWork: UnitOfWork,
    private readonly events: DomainEvents,
    private readonly roster: Roster,
  ) {}

  onModuleInit(): void {
    this.events.on(PresenceChosen, ({ row }) => this.tell([row]));
    this.events.on(PresenceChanged, ({ states }) => {
      for (const { userId, own } of states) {
        if (own.until && this.roster.known(userId)) this.endAt(userId, own.until.getTime());
        else this.ends.delete(userId);
      }
    });
  }

  onModuleDestroy(): void {
    clearTimeout(this.timer);
  }

  async set({ userId }: Actor, { status, text, until }: SetPresence): Promise<{ presence: OwnPresence }> {
    const end = until === undefined ? null : new Date(until);
    if (end) assertUntil(end, Date.now());
    const row = await this.unitOfWork.run(async (tx) => {
      await this.repository.choose(tx, userId, { status, text: text ?? null, until: end });
      const [chosen] = await this.repository.read([userId], tx.manager);
      if (!chosen) throw new AppError('NOT_FOUND', 'User not found');
      tx.raise(new PresenceChosen(chosen));
      return chosen;
    });
    return { presence: ownView(row.own) };
  }

  async show({ userId }: Actor): Promise<OwnPresence> {
    const [row] = await this.repository.read([userId]);
    if (!row) throw new AppError('NOT_FOUND', 'User not found');
    return ownView(row.own);
  }

  /** To the others how the users are seen now, to themselves what holds now. */
  private async tell(rows: readonly StoredPresence[]): Promise<void> {
    const read = await this.roster.statesOf(rows);
    const states = read.map((state) => this.roster.keep(state));
    this.events.publish(new PresenceChanged(states));
    for (const state of states) this.events.publish(new OwnPresenceChanged(state));
  }

  private endAt(userId: string, time: number): void {
    this.ends.set(userId, time);
    this.wakeAt(time + LATER_MS);
  }

  /** One timer, for the first end. */
  private wakeAt(time: number): void {
    if (time >= this.wakesAt) return;
    clearTimeout(this.timer);
    this.wakesAt = time;
    const wait = Math.min(Math.max(time - Date.now(), 0), MAX_TIMER_MS);
    this.timer = setTimeout(() => {
      this.wakesAt = Infinity;
      void this.endOver();
    }, wait);
  }

  private async endOver(): Promise<void> {
    const now = Date.now();
    const over = [...this.ends].filter(([, end]) => end <= now).map(([userId]) => userId);
    for (const userId of over) this.ends.delete(userId);
    const here = over.filter((userId) => this.roster.known(userId));
    try {
      if (here.length > 0) await this.restore(here);
    } catch (error) {
      this.logger.error({ err: error }, 'Choices that are over could not be read; it is tried again');
      for (const userId of here) this.endAt(userId, Date.now() + AGAIN_MS * 10);
    }
    const next = Math.min(...this.ends.values());
    if (next < Infinity) this.wakeAt(next + LATER_MS);
  }

  private async restore(userIds: readonly string[]): Promise<void> {
    const rows = await this.repository.read(userIds);
    const over = rows.filter(({ userId, own }) => own.version !== this.roster.known(userId)?.own.version);
    if (over.length > 0) await this.tell(over);
    for (const { userId, own } of rows)
      if (own.until) this.endAt(userId, Math.max(own.until.getTime(), Date.now() + AGAIN_MS));
  }
}

import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { DomainEvents } from '../platform/events/domain-events.js';
import { PresenceChanged } from './presence.events.js';
import { PresenceRepository, type StoredPresence } from './presence.repository.js';
import { PresenceStore, type Availability } from './presence.store.js';
import { newest, type PresenceState } from './presence.view.js';

interface Entry {
  /** On this node. */
  devices: number;
  /** Absent until it is read. */
  state?: PresenceState;
}

/** A save that takes longer is not waited for. */
const SAVE_MS = 1000;

/**
 * What this node knows of the users whose devices it holds: one small read when they come, nothing while they stay.
 * Every change of anybody's presence passes here and becomes a `PresenceChanged`.
 */
@Injectable()
export class Roster {
  private readonly logger = new Logger(Roster.name);
  private readonly entries = new Map<string, Entry>();
  /** Who is not to be seen: by their choice, or because it has not been read yet what they chose. */
  private readonly hidden = new Set<string>();
  /** Users to read of, for all who ask within one turn of the event loop. */
  private wanted = new Set<string>();
  private reading: Promise<void> | undefined;
  /** When users were last seen, that could not be stored yet. */
  private readonly unsaved = new Map<string, number>();
  private saving = Promise.resolve();
  /** Changes that could not be told yet, because it could not be read whose they are. */
  private readonly untold = new Map<string, Availability>();

  constructor(
    private readonly repository: PresenceRepository,
    private readonly store: PresenceStore,
    private readonly unitOfWork: UnitOfWork,
    private readonly events: DomainEvents,
  ) {}

  deviceCame(userId: string): void {
    const entry = this.entries.get(userId) ?? { devices: 0 };
    entry.devices += 1;
    this.entries.set(userId, entry);
    if (!entry.state) this.hidden.add(userId);
  }

  deviceWent(userId: string): void {
    const entry = this.entries.get(userId);
    if (entry) entry.devices -= 1;
  }

  /** Users without a device here whom the others do not count here any more either. */
  forget(userIds: Iterable<string>): void {
    for (const userId of userIds) {
      if ((this.entries.get(userId)?.devices ?? 0) > 0) continue;
      this.entries.delete(userId);
      this.hidden.delete(userId);
    }
  }

  /** Those on this node who are shown offline although they are connected. */
  invisible(): ReadonlySet<string> {
    return this.hidden;
  }

  known(userId: string): PresenceState | undefined {
    return this.entries.get(userId)?.state;
  }

  /** Reads what is not known yet, in one statement for all who ask within a turn. */
  async load(userIds: readonly string[]): Promise<void> {
    for (const userId of userIds) if (!this.known(userId)) this.wanted.add(userId);
    if (this.wanted.size > 0) this.reading ??= this.readWanted();
    await this.reading;
  }

  /** For those who stay: the newest of what was known and this. */
  keep(state: PresenceState): PresenceState {
    const entry = this.entries.get(state.userId);
    const merged = newest(entry?.state, state);
    if (!entry) return merged;
    entry.state = merged;
    if (merged.own.status === 'invisible') this.hidden.add(state.userId);
    else this.hidden.delete(state.userId);
    return merged;
  }

  /**
   * Tells everybody what the store returned to us: nobody else will, so no failure of the database stops it. What could
   * not be told or stored before is tried again, also when nothing has changed.
   */
  async announce(news: readonly Availability[]): Promise<void> {
    for (const { userId, lastSeenAt } of news)
      if (lastSeenAt !== undefined) this.unsaved.set(userId, lastSeenAt);
    const changes = new Map(this.untold);
    this.untold.clear();
    for (const change of news) changes.set(change.userId, change);
    // At once: while the database is waited for, somebody may be forgotten here.
    const here: PresenceState[] = [];
    for (const [userId, change] of changes) {
      const state = this.known(userId);
      if (!state) continue;
      here.push(changed(state, change));
      changes.delete(userId);
    }
    // The others are strangers.
    const strangers = this.ofStrangers(changes);
    const saved = this.saveLastSeen().catch((error: unknown) => this.failed(error));
    // Stored before it is told: whoever is told may read it at once.
    if (news.some(({ lastSeenAt }) => lastSeenAt !== undefined))
      await Promise.race([saved, pause(SAVE_MS, undefined, { ref: false })]);
    this.tell(here);
    this.tell(await strangers);
  }

  /** These rows as they are at this moment: with what the store says of their devices. */
  async statesOf(rows: readonly StoredPresence[]): Promise<PresenceState[]> {
    const availabilities = await this.store.read(rows.map(({ userId }) => userId));
    return rows.map((row, index) => withAvailability(row, availabilities[index]));
  }

  /** The node ends: everybody it holds was here until now. */
  async saveLastSeenNow(): Promise<void> {
    const now = Date.now();
    for (const userId of this.entries.keys()) this.unsaved.set(userId, now);
    await this.saveLastSeen();
  }

  private tell(states: readonly PresenceState[]): void {
    if (states.length === 0) return;
    this.events.publish(new PresenceChanged(states.map((state) => this.keep(state))));
  }

  /** One after the other: of a database that hangs not more is asked. */
  private saveLastSeen(): Promise<void> {
    const saved = this.saving.then(() => this.saveUnsaved());
    this.saving = saved.catch(() => undefined);
    return saved;
  }

  /** All in one statement; what fails is tried again with the next ones. */
  private async saveUnsaved(): Promise<void> {
    if (this.unsaved.size === 0) return;
    const seen = new Map(this.unsaved);
    await this.unitOfWork.run((tx) => this.repository.saveLastSeen(tx, seen));
    for (const [userId, at] of seen) if (this.unsaved.get(userId) === at) this.unsaved.delete(userId);
  }

  /** Of users another node held. */
  private async ofStrangers(changes: ReadonlyMap<string, Availability>): Promise<PresenceState[]> {
    if (changes.size === 0) return [];
    try {
      const rows = await this.repository.read([...changes.keys()]);
      return rows.flatMap((row) => {
        const change = changes.get(row.userId);
        return change ? [changed(notThere(row), change)] : [];
      });
    } catch (error) {
      this.failed(error);
      for (const [userId, change] of changes) {
        const later = this.untold.get(userId);
        if (!later || later.version < change.version) this.untold.set(userId, change);
      }
      return [];
    }
  }

  private failed(error: unknown): undefined {
    this.logger.error({ err: error }, 'The database could not be asked for presence');
  }

  private async readWanted(): Promise<void> {
    await turn();
    const wanted = this.wanted;
    this.wanted = new Set();
    this.reading = undefined;
    for (const row of await this.repository.read([...wanted])) this.keep(notThere(row));
  }
}

function notThere(row: StoredPresence): PresenceState {
  return withAvailability(row, { userId: row.userId, status: 'offline', version: 0 });
}

/** When somebody invisible was there is never shown, also not after they are visible again. */
function changed(state: PresenceState, change: Availability): PresenceState {
  const { userId, status, version } = change;
  const shown = state.own.status === 'invisible' ? { userId, status, version } : change;
  return { ...state, availability: shown };
}

function withAvailability(
  { userId, username, own, lastSeenAt }: StoredPresence,
  availability: Availability = { userId, status: 'offline', version: 0 },
): PresenceState {
  const seen = availability.status === 'offline' && lastSeenAt !== undefined ? { lastSeenAt } : {};
  return { userId, username, own, availability: { ...availability, ...seen } };
}

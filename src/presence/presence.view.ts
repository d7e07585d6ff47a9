import type { OwnPresence, OwnStatus, Presence, PresenceStatus } from '../contract/presence.js';
import type { Availability } from './presence.store.js';

/** What a user chose, as it holds now: after `until` the former choice. */
export interface OwnChoice {
  status: OwnStatus;
  text: string | null;
  until: Date | null;
  /** Of two choices of a user the higher one is the newer one. */
  version: number;
}

/**
 * All that makes up somebody's presence. Its two parts change independently and arrive in any order, each with a
 * version of its own. Never changed: a new object takes its place.
 */
export interface PresenceState {
  readonly userId: string;
  readonly username: string;
  readonly availability: Availability;
  readonly own: OwnChoice;
}

/** The newer part of each. */
export function newest(known: PresenceState | undefined, heard: PresenceState): PresenceState {
  if (!known) return heard;
  const availability = newestAvailability(known.availability, heard.availability);
  const own = known.own.version > heard.own.version ? known.own : heard.own;
  return availability === heard.availability && own === heard.own
    ? heard
    : { userId: known.userId, username: heard.username, availability, own };
}

function newestAvailability(known: Availability, heard: Availability): Availability {
  // A reader may find somebody offline before it is stored when they were last seen.
  if (known.status === 'offline' && heard.status === 'offline')
    return (known.lastSeenAt ?? 0) > (heard.lastSeenAt ?? 0) ? known : heard;
  return known.version > heard.version ? known : heard;
}

/** The best device counts while nothing else is chosen; without devices everybody is offline. */
export function shownStatus({
  availability,
  own,
}: Pick<PresenceState, 'availability' | 'own'>): PresenceStatus {
  if (availability.status === 'offline' || own.status === 'invisible') return 'offline';
  return own.status === 'online' ? availability.status : own.status;
}

/** States are shown to many: each is mapped once. */
const shown = new WeakMap<PresenceState, Presence>();

/** Somebody as everybody else sees them. */
export function presenceView(state: PresenceState): Presence {
  const known = shown.get(state);
  if (known) return known;
  const { userId, username, availability, own } = state;
  const status = shownStatus(state);
  const seen = own.status === 'invisible' ? undefined : availability.lastSeenAt;
  const view: Presence = {
    userId,
    username,
    status,
    ...(status !== 'offline' && own.text !== null && { text: own.text }),
    ...(status === 'offline' && seen !== undefined && { lastSeenAt: new Date(seen).toISOString() }),
  };
  shown.set(state, view);
  return view;
}

export function samePresence(one: Presence, other: Presence): boolean {
  return (
    one === other ||
    (one.status === other.status && one.text === other.text && one.lastSeenAt === other.lastSeenAt)
  );
}

export function ownView({ status, text, until }: OwnChoice): OwnPresence {
  return {
    status,
    ...(text !== null && { text }),
    ...(until && { until: until.toISOString() }),
  };
}

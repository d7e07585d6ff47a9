import type { PresenceState } from './presence.view.js';

/** These are the newest states there are: told once for each change, by whoever learned of it. */
export class PresenceChanged {
  constructor(readonly states: readonly PresenceState[]) {}
}

/** What a user chose has changed: they set it, or its time was over. */
export class OwnPresenceChanged {
  constructor(readonly state: PresenceState) {}
}

import { Injectable } from '@nestjs/common';
import { OnlineUsers } from '../rooms/online-users.service.js';
import { PresenceRepository } from './presence.repository.js';
import { PresenceStore } from './presence.store.js';
import { shownStatus, type PresenceState } from './presence.view.js';
import { Roster } from './roster.service.js';

/** Tells rooms who is seen online. No read of the database for users of this node. */
@Injectable()
export class ConnectedUsers extends OnlineUsers {
  constructor(
    private readonly store: PresenceStore,
    private readonly roster: Roster,
    private readonly repository: PresenceRepository,
  ) {
    super();
  }

  override async among(userIds: readonly string[]): Promise<ReadonlySet<string>> {
    const there = (await this.store.read(userIds)).filter(({ status }) => status !== 'offline');
    const elsewhere = there.map(({ userId }) => userId).filter((userId) => !this.roster.known(userId));
    const own = new Map<string, PresenceState['own']>();
    if (elsewhere.length > 0)
      for (const row of await this.repository.read(elsewhere)) own.set(row.userId, row.own);
    const seen = there.filter((availability) => {
      const choice = this.roster.known(availability.userId)?.own ?? own.get(availability.userId);
      return choice && shownStatus({ availability, own: choice }) !== 'offline';
    });
    return new Set(seen.map(({ userId }) => userId));
  }

  override invisible(): ReadonlySet<string> {
    return this.roster.invisible();
  }
}

import { Injectable } from '@nestjs/common';
import type { Presence } from '../contract/presence.js';
import type { Page } from '../contract/rest.js';
import type { Actor } from '../platform/identity/actor.js';
import { PresenceRepository } from './presence.repository.js';
import { presenceView, type PresenceState } from './presence.view.js';
import { Roster } from './roster.service.js';

/** Reads how people are seen, by those who may see them. Everybody else is left out, whether they exist or not. */
@Injectable()
export class PresenceList {
  constructor(
    private readonly repository: PresenceRepository,
    private readonly roster: Roster,
  ) {}

  /** In the order of the ids. Administrators see everybody. */
  async states(actor: Pick<Actor, 'userId' | 'role'>, userIds: readonly string[]): Promise<PresenceState[]> {
    const rows =
      actor.role === 'admin'
        ? await this.repository.read(userIds)
        : await this.repository.visible(actor.userId, userIds);
    const states = new Map((await this.roster.statesOf(rows)).map((state) => [state.userId, state]));
    return [...new Set(userIds)].flatMap((userId) => states.get(userId) ?? []);
  }

  async page(actor: Actor, userIds: readonly string[]): Promise<Page<Presence>> {
    return { data: (await this.states(actor, userIds)).map(presenceView), hasMore: false };
  }
}

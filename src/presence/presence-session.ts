import { Injectable } from '@nestjs/common';
import { Connections } from '../platform/realtime/connections.js';
import { Publisher } from '../platform/realtime/publisher.js';
import type { RealtimeSocket } from '../platform/realtime/realtime-socket.js';
import { ownView } from './presence.view.js';
import { Roster } from './roster.service.js';
import { Watching } from './watching.service.js';

/** Brings a new socket of `/presence` up: its user's own choice, then the people it watches. */
@Injectable()
export class PresenceSession {
  constructor(
    private readonly connections: Connections,
    private readonly publisher: Publisher,
    private readonly roster: Roster,
    private readonly watching: Watching,
  ) {}

  async open(socket: RealtimeSocket): Promise<void> {
    await this.connections.open(socket, async () => {
      const { userId } = socket.data.actor;
      await this.roster.load([userId]);
      const state = this.roster.known(userId);
      if (state) this.publisher.presence.toSocket(socket, 'presence:own', ownView(state.own));
      await this.watching.begin(socket);
    });
  }
}

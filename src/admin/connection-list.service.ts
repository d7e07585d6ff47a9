import { Injectable } from '@nestjs/common';
import type { ConnectionInfo, ListConnections } from '../contract/admin.js';
import type { Page } from '../contract/rest.js';
import type { Actor } from '../platform/identity/actor.js';
import { assertAdministrator } from '../platform/identity/administrator.js';
import { OpenConnections, type ConnectionsPage } from '../platform/realtime/open-connections.js';

/** Who is connected, from where, with what. */
@Injectable()
export class ConnectionList {
  constructor(private readonly open: OpenConnections) {}

  list(actor: Actor, { userId, cursor }: ListConnections): ConnectionsPage {
    assertAdministrator(actor);
    return this.open.page(userId, cursor);
  }

  /** As REST shows pages. */
  page(actor: Actor, input: ListConnections): Page<ConnectionInfo> {
    const { connections, cursor } = this.list(actor, input);
    return { data: connections, ...(cursor !== undefined && { cursor }), hasMore: cursor !== undefined };
  }
}

import { Injectable } from '@nestjs/common';
import type { ConnectionInfo } from '../../contract/admin.js';
import { CONTRACT_LIMITS } from '../../contract/limits.js';
import { NAMESPACES, type NamespaceName } from '../../contract/namespaces.js';
import { userChannel, type RealtimeSocket } from './realtime-socket.js';
import { RealtimeServer, type RealtimeNamespace } from './realtime-server.js';

export interface ConnectionsPage {
  connections: ConnectionInfo[];
  cursor?: string;
}

const NAMES = Object.keys(NAMESPACES) as NamespaceName[];

/** What is open at this moment, for those who watch: read from the sockets themselves, nothing is kept for it. */
@Injectable()
export class OpenConnections {
  constructor(private readonly server: RealtimeServer) {}

  /** Open sockets by namespace. */
  byNamespace(): Record<string, number> {
    return Object.fromEntries(NAMES.map((name) => [name, this.server.namespace(name).sockets.size]));
  }

  /**
   * The transports by id, from behind `after`. One that several people signed in on (each in a namespace of their own)
   * is one entry for each. A pass over all sockets: for people who look, not for every command.
   */
  page(userId: string | undefined, after = ''): ConnectionsPage {
    const transports = new Map<string, RealtimeSocket[]>();
    for (const name of NAMES)
      for (const socket of this.socketsIn(this.server.namespace(name), userId)) {
        const { connectionId } = socket.data;
        if (connectionId <= after) continue;
        const sockets = transports.get(connectionId);
        if (sockets) sockets.push(socket);
        else transports.set(connectionId, [socket]);
      }
    const ids = [...transports.keys()].sort();
    const page = ids.slice(0, CONTRACT_LIMITS.connectionsPage);
    const last = page.at(-1);
    return {
      connections: page.flatMap((id) => byUser(transports.get(id) ?? []).map(infoOf)),
      ...(ids.length > page.length && last !== undefined && { cursor: last }),
    };
  }

  private *socketsIn(
    { sockets, adapter }: RealtimeNamespace,
    userId: string | undefined,
  ): Generator<RealtimeSocket> {
    if (userId === undefined) {
      yield* sockets.values();
      return;
    }
    for (const socketId of adapter.rooms.get(userChannel(userId)) ?? []) {
      const socket = sockets.get(socketId);
      if (socket) yield socket;
    }
  }
}

function byUser(sockets: RealtimeSocket[]): RealtimeSocket[][] {
  const users = new Map<string, RealtimeSocket[]>();
  for (const socket of sockets) {
    const { userId } = socket.data.actor;
    users.set(userId, [...(users.get(userId) ?? []), socket]);
  }
  return [...users.values()];
}

/** Of the sockets that one person has on one transport. */
function infoOf(sockets: RealtimeSocket[]): ConnectionInfo {
  const [first] = sockets;
  if (!first) throw new Error('A connection has sockets');
  const { connectionId, actor, address } = first.data;
  return {
    id: connectionId,
    userId: actor.userId,
    username: actor.username,
    namespaces: sockets.map(({ nsp }) => nsp.name).sort(),
    transport: first.conn.transport.name,
    address,
    connectedAt: new Date(Math.min(...sockets.map(({ handshake }) => handshake.issued))).toISOString(),
    activeAt: new Date(Math.max(...sockets.map(({ data }) => data.activeAt))).toISOString(),
  };
}

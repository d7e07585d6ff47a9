import { Injectable } from '@nestjs/common';
import type { Namespace, Server } from 'socket.io';
import type { NamespaceName } from '../../contract/namespaces.js';
import type { SocketData } from './realtime-socket.js';
import type { DefaultEventsMap } from 'socket.io';

export type RealtimeNamespace = Namespace<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, SocketData>;

/** Holds the Socket.IO server the adapter creates, for those who send or count. */
@Injectable()
export class RealtimeServer {
  private server: Server<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, SocketData> | undefined;

  attach(server: Server): void {
    this.server = server;
  }

  namespace(name: NamespaceName): RealtimeNamespace {
    if (!this.server) throw new Error('The socket server is not listening yet');
    return this.server.of(name);
  }

  /** Transports that are open, whatever namespaces they use. */
  connections(): number {
    return this.server?.engine.clientsCount ?? 0;
  }
}

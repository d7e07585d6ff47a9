import type { NamespaceName } from '../../contract/namespaces.js';

/** A socket was admitted to a namespace. The sockets of one transport share the `connectionId`. */
export class SocketOpened {
  constructor(
    readonly userId: string,
    readonly connectionId: string,
    readonly namespace: NamespaceName,
  ) {}
}

export class SocketClosed {
  constructor(
    readonly userId: string,
    readonly connectionId: string,
    readonly namespace: NamespaceName,
  ) {}
}

/** The person at a connection did something; told at most once in a while (see `Connections.active`). */
export class ConnectionActive {
  constructor(
    readonly userId: string,
    readonly connectionId: string,
  ) {}
}

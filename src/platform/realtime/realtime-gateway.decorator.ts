import { applyDecorators, UseFilters, UseGuards } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import type { NamespaceName } from '../../contract/namespaces.js';
import { markAdmitted } from './command-dispatcher.js';
import { handshakeOver } from './handshake-line.js';
import { RealtimeExceptionFilter } from './realtime-exception.filter.js';
import type { RealtimeSocket } from './realtime-socket.js';
import { SessionGuard } from './session.guard.js';

/** Metadata key under which Nest keeps the event of a `@SubscribeMessage` method. */
const EVENT_OF_HANDLER = 'message';
export const REALTIME_GATEWAY = 'parley:realtime-gateway';

/**
 * A gateway class with what a command must pass beside the application's global pipe and interceptor: the guard,
 * and the error filter (of Nest's global parts only filters do not reach gateways; a pipe given here too would run
 * twice). Its handlers take `@ConnectedSocket()` first.
 */
export function RealtimeGateway(namespace: NamespaceName): ClassDecorator {
  return (target) => {
    Reflect.defineMetadata(REALTIME_GATEWAY, namespace, target);
    reportAdmission(target.prototype as Record<string, unknown>);
    reportOpening(target.prototype as Record<string, unknown>);
    applyDecorators(
      WebSocketGateway({ namespace }),
      UseGuards(SessionGuard),
      UseFilters(RealtimeExceptionFilter),
    )(target);
  };
}

/** Ends the handshake when the gateway has opened the socket: what it reads for that is bounded too. */
function reportOpening(prototype: Record<string, unknown>): void {
  const open = prototype['handleConnection'] as ((socket: RealtimeSocket) => Promise<void>) | undefined;
  prototype['handleConnection'] = async function (this: unknown, socket: RealtimeSocket): Promise<void> {
    try {
      await open?.call(this, socket);
    } finally {
      handshakeOver(socket);
    }
  };
}

/** Wraps each handler so that the dispatcher learns when it has been called: that is when the next command may enter. */
function reportAdmission(prototype: Record<string, unknown>): void {
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const handler = prototype[name];
    if (typeof handler !== 'function' || !Reflect.hasMetadata(EVENT_OF_HANDLER, handler)) continue;
    const wrapped = {
      [name](this: unknown, socket: RealtimeSocket, ...rest: unknown[]): unknown {
        try {
          return handler.call(this, socket, ...rest) as unknown;
        } finally {
          markAdmitted(socket);
        }
      },
    }[name] as object;
    for (const key of Reflect.getMetadataKeys(handler))
      Reflect.defineMetadata(key, Reflect.getMetadata(key, handler), wrapped);
    prototype[name] = wrapped;
  }
}

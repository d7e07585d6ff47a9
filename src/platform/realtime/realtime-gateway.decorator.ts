import { applyDecorators, UseGuards } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import type { NamespaceName } from '../../contract/namespaces.js';
import { handshakeOver } from './handshake-line.js';
import type { RealtimeSocket } from './realtime-socket.js';
import { SessionGuard } from './session.guard.js';

export const REALTIME_GATEWAY = 'parley:realtime-gateway';

/**
 * A gateway class with what a command must pass beside the application's global pipe and interceptor: the guard. (A pipe
 * given here too would run twice; refusals are answered by the dispatcher.) Its handlers take `@ConnectedSocket()` first
 * and `@MessageBody()` second: see compile-handlers.ts, which says what else they may carry.
 */
export function RealtimeGateway(namespace: NamespaceName): ClassDecorator {
  return (target) => {
    Reflect.defineMetadata(REALTIME_GATEWAY, namespace, target);
    reportOpening(target.prototype as Record<string, unknown>);
    applyDecorators(WebSocketGateway({ namespace }), UseGuards(SessionGuard))(target);
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

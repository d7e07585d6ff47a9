import { applyDecorators, UseFilters, UseGuards, UseInterceptors, UsePipes } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { ThrottleInterceptor } from '../throttling/throttle.interceptor.js';
import { PayloadPipe } from '../validation/payload.pipe.js';
import { markAdmitted } from './command-dispatcher.js';
import { RealtimeExceptionFilter } from './realtime-exception.filter.js';
import type { RealtimeSocket } from './realtime-socket.js';
import { SessionGuard } from './session.guard.js';

/** Metadata key under which Nest keeps the event of a `@SubscribeMessage` method. */
const EVENT_OF_HANDLER = 'message';
export const REALTIME_GATEWAY = 'parley:realtime-gateway';

/**
 * A gateway class with everything a command must pass: guard, throttle, validation, one error filter (Nest's
 * global ones do not reach gateways). Its handlers take `@ConnectedSocket()` first.
 */
export function RealtimeGateway(namespace: string): ClassDecorator {
  return (target) => {
    Reflect.defineMetadata(REALTIME_GATEWAY, namespace, target);
    reportAdmission(target.prototype as Record<string, unknown>);
    applyDecorators(
      WebSocketGateway({ namespace }),
      UseGuards(SessionGuard),
      UseInterceptors(ThrottleInterceptor),
      UsePipes(PayloadPipe),
      UseFilters(RealtimeExceptionFilter),
    )(target);
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
    for (const key of Reflect.getMetadataKeys(handler)) Reflect.defineMetadata(key, Reflect.getMetadata(key, handler), wrapped);
    prototype[name] = wrapped;
  }
}

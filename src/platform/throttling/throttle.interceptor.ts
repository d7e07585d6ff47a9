import {
  Injectable,
  SetMetadata,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import type { Observable } from 'rxjs';
import type { AuthenticatedRequest } from '../identity/current-actor.decorator.js';
import type { RealtimeSocket } from '../realtime/realtime-socket.js';
import { Throttle, type ThrottleScope } from './throttle.js';

const SCOPES = 'parley:throttle';

/** Further limits of a handler, counted per user, beside the one on all commands. */
export const Throttled = (...scopes: ThrottleScope[]) => SetMetadata(SCOPES, scopes);

/**
 * Throttles sockets and REST alike: all commands of a connection (or all requests of a user), then the
 * handler's own scopes per user. Runs before validation, so bad input counts too.
 */
@Injectable()
export class ThrottleInterceptor implements NestInterceptor {
  constructor(private readonly throttle: Throttle) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const caller = callerOf(context);
    if (caller) {
      await this.throttle.check('commands', caller.connection);
      for (const scope of scopesOf(context)) await this.throttle.check(scope, caller.userId);
    }
    return next.handle();
  }
}

function scopesOf(context: ExecutionContext): ThrottleScope[] {
  return (Reflect.getMetadata(SCOPES, context.getHandler()) as ThrottleScope[] | undefined) ?? [];
}

function callerOf(context: ExecutionContext): { connection: string; userId: string } | undefined {
  if (context.getType() === 'ws') {
    const { data } = context.switchToWs().getClient<RealtimeSocket>();
    return { connection: data.connectionId, userId: data.actor.userId };
  }
  // Open routes have limits of their own, by address and account.
  const { actor } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  return actor && { connection: actor.userId, userId: actor.userId };
}

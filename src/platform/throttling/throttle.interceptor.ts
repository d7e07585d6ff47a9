import {
  Injectable,
  SetMetadata,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import type { Response } from 'express';
import type { Observable } from 'rxjs';
import type { AuthenticatedRequest } from '../identity/current-actor.decorator.js';
import type { RealtimeSocket } from '../realtime/realtime-socket.js';
import { rateLimitHeaders } from './rate-limit-headers.js';
import { Throttle, type TellQuota, type ThrottleScope } from './throttle.js';

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
      const { connection, userId, tell } = caller;
      await this.throttle.check('commands', connection, tell);
      for (const scope of scopesOf(context)) await this.throttle.check(scope, userId, tell);
    }
    return next.handle();
  }
}

function scopesOf(context: ExecutionContext): ThrottleScope[] {
  return (Reflect.getMetadata(SCOPES, context.getHandler()) as ThrottleScope[] | undefined) ?? [];
}

interface Caller {
  connection: string;
  userId: string;
  /** Over REST the limits stand in the answer's headers. */
  tell?: TellQuota;
}

function callerOf(context: ExecutionContext): Caller | undefined {
  if (context.getType() === 'ws') {
    const { data } = context.switchToWs().getClient<RealtimeSocket>();
    return { connection: data.connectionId, userId: data.actor.userId };
  }
  // Open routes have limits of their own, by address and account.
  const http = context.switchToHttp();
  const { actor } = http.getRequest<AuthenticatedRequest>();
  return (
    actor && {
      connection: actor.userId,
      userId: actor.userId,
      tell: rateLimitHeaders(http.getResponse<Response>()),
    }
  );
}
